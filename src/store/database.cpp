#include "store/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "store/fault_point.hpp"

namespace kinora::store {

// Queues and threads. The connections are used by their own thread only, except in migrate() before any write.
struct Database::Threads {
  Threads(Connection writer_, Connection reader_) : writer(std::move(writer_)), reader(std::move(reader_)) {}

  Connection writer;
  Connection reader;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::unique_ptr<Job>> writes, reads;
  std::chrono::steady_clock::time_point write_by;  // until then the first write waits for others
  bool stopping = false;
  std::mutex writer_in_use;
  std::atomic<std::uint64_t> commits{0};
  std::thread write_thread, read_thread;
};

namespace {

constexpr std::string_view kWriterSetup =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;"
    "PRAGMA wal_autocheckpoint=8192; PRAGMA journal_size_limit=67108864;"
    "CREATE TABLE IF NOT EXISTS schema_steps(room TEXT NOT NULL, step INTEGER NOT NULL, PRIMARY KEY(room, step)) STRICT;";
constexpr std::string_view kReaderSetup = "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;";

}  // namespace

Database::Database(boost::asio::any_io_executor executor, DatabaseSettings settings)
    : executor_(std::move(executor)), settings_(std::move(settings)) {}

base::Result<std::unique_ptr<Database>> Database::open(boost::asio::any_io_executor executor, DatabaseSettings settings) {
  std::unique_ptr<Database> database(new Database(std::move(executor), std::move(settings)));
  KINORA_TRY(Connection writer, Connection::open(database->settings_.path, OpenMode::read_write));
  KINORA_OK(writer.exec(kWriterSetup));
  KINORA_TRY(Connection reader, Connection::open(database->settings_.path, OpenMode::read_only));
  KINORA_OK(reader.exec(kReaderSetup));
  database->threads_ = std::make_unique<Threads>(std::move(writer), std::move(reader));
  database->threads_->write_thread = std::thread([self = database.get()] { self->write_loop(); });
  database->threads_->read_thread = std::thread([self = database.get()] { self->read_loop(); });
  return database;
}

Database::~Database() {
  if (threads_ == nullptr) return;  // open() failed
  {
    const std::lock_guard lock(threads_->mutex);
    threads_->stopping = true;
  }
  threads_->changed.notify_all();
  threads_->write_thread.join();
  threads_->read_thread.join();
}

base::Status Database::migrate(std::string_view room, std::span<const std::string_view> steps) {
  const std::lock_guard lock(threads_->writer_in_use);
  Connection& connection = threads_->writer;
  std::int64_t done = 0;
  {
    KINORA_TRY(Statement newest, connection.query("SELECT COALESCE(MAX(step), 0) FROM schema_steps WHERE room = ?", room));
    KINORA_TRY(const bool row, newest.step());
    if (row) done = newest.integer(0);
  }
  if (done > static_cast<std::int64_t>(steps.size()))
    return base::fail(base::ErrorCode::conflict,
                      fmt::format("the database is from a newer version: {} has step {}, this program knows {}", room, done, steps.size()));
  for (std::size_t i = static_cast<std::size_t>(done); i < steps.size(); ++i) {
    const auto step = [&]() -> base::Status {
      KINORA_OK(connection.exec("BEGIN IMMEDIATE"));
      KINORA_OK(connection.exec(steps[i]));
      KINORA_TRY(auto changed, connection.run("INSERT INTO schema_steps(room, step) VALUES(?, ?)", room, static_cast<std::int64_t>(i + 1)));
      static_cast<void>(changed);
      return connection.exec("COMMIT");
    }();
    if (!step) {
      static_cast<void>(connection.exec("ROLLBACK"));
      return base::fail(step.error().within(fmt::format("migration {} of {}", i + 1, room)));
    }
  }
  return {};
}

std::uint64_t Database::commits() const { return threads_->commits; }

void Database::enqueue(Queue queue, std::unique_ptr<Job> job) {
  {
    const std::lock_guard lock(threads_->mutex);
    if (queue == Queue::writes) threads_->write_by = {};
    if (queue == Queue::unhurried && threads_->writes.empty()) threads_->write_by = std::chrono::steady_clock::now() + kLongestWait;
    (queue == Queue::reads ? threads_->reads : threads_->writes).push_back(std::move(job));
  }
  threads_->changed.notify_all();
}

void Database::write_loop() {
  Threads& threads = *threads_;
  for (;;) {
    std::vector<std::unique_ptr<Job>> group;
    {
      std::unique_lock lock(threads.mutex);
      threads.changed.wait(lock, [&] { return threads.stopping || !threads.writes.empty(); });
      if (threads.writes.empty()) return;
      // A copy: whoever comes in a hurry moves it.
      while (!threads.stopping && std::chrono::steady_clock::now() < threads.write_by) {
        const auto by = threads.write_by;
        threads.changed.wait_until(lock, by);
      }
      while (!threads.writes.empty() && group.size() < settings_.max_group) {
        group.push_back(std::move(threads.writes.front()));
        threads.writes.pop_front();
      }
    }
    const std::lock_guard lock(threads.writer_in_use);
    run_group(group);
    for (auto& job : group) job->deliver(executor_);
  }
}

namespace {

// Without parsing it each time.
base::Status prepared(Connection& connection, std::string_view sql) {
  KINORA_TRY(const std::int64_t changed, connection.run(sql));
  static_cast<void>(changed);
  return {};
}

}  // namespace

void Database::run_group(std::vector<std::unique_ptr<Job>>& group) {
  Connection& connection = threads_->writer;
  const auto commit = [&]() -> base::Status {
    KINORA_OK(prepared(connection, "BEGIN IMMEDIATE"));
    for (auto& job : group) {
      KINORA_OK(prepared(connection, "SAVEPOINT one"));
      if (auto status = job->run(connection); !status) {
        // A full disk or an I/O error undoes the whole transaction by itself: then nothing of the group is left to keep.
        if (sqlite3_get_autocommit(connection.handle_) != 0) return status;
        KINORA_OK(prepared(connection, "ROLLBACK TO one"));
      }
      KINORA_OK(prepared(connection, "RELEASE one"));
    }
    if (settings_.allow_commit && !settings_.allow_commit()) return base::fail(base::ErrorCode::io, "the commit was refused");
    fault::before_commit();
    return prepared(connection, "COMMIT");
  }();
  if (commit) {
    fault::after_commit();
    ++threads_->commits;
    return;
  }
  base::log::error("store", "commit failed", {{"error", commit.error().message}, {"writes", group.size()}});
  static_cast<void>(prepared(connection, "ROLLBACK"));  // a full disk has rolled back already
  fault::undone();
  for (auto& job : group) job->fail(commit.error());
}

void Database::read_loop() {
  Threads& threads = *threads_;
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock lock(threads.mutex);
      threads.changed.wait(lock, [&] { return threads.stopping || !threads.reads.empty(); });
      if (threads.reads.empty()) return;
      job = std::move(threads.reads.front());
      threads.reads.pop_front();
    }
    if (const auto begun = prepared(threads.reader, "BEGIN"); !begun) {
      job->fail(begun.error());
    } else {
      static_cast<void>(job->run(threads.reader));
      static_cast<void>(prepared(threads.reader, "COMMIT"));
    }
    job->deliver(executor_);
  }
}

}  // namespace kinora::store
