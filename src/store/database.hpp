#pragma once
// One SQLite database for a role: a writer thread that groups commits, a reader thread, migrations by numbered steps.
//
// Many coroutines write at once: their closures queue up, the writer thread runs all that wait inside one transaction (each in its own
// savepoint, so that one's error undoes only that one) and commits once: WAL, synchronous=FULL. A caller goes on only after the commit is
// on the disk. Closures run in the order of the calls.
//
// Ownership: the Database must outlive every call on it. The destructor finishes what is queued, then joins its threads.
// Errors: what the closure returned; exhausted or io when the commit itself failed (then every closure of the group was undone).
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.hpp"
#include "store/sqlite.hpp"

namespace kinora::store {

template <class T>
using Task = boost::asio::awaitable<T>;

enum class Haste { at_once, with_the_next };
inline constexpr std::chrono::milliseconds kLongestWait{5};

struct DatabaseSettings {
  std::filesystem::path path;
  std::size_t max_group = 256;  // write closures in one transaction
  // Asked before each commit; false makes the commit fail. For fault injection in tests.
  std::function<bool()> allow_commit;
};

class Database {
 public:
  // Opens or creates the file and starts the threads. `executor` is where callers resume.
  static base::Result<std::unique_ptr<Database>> open(boost::asio::any_io_executor executor, DatabaseSettings settings);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Brings one room's tables to the newest step: steps[i] is step i+1, run once ever, each in its own transaction. Blocks;
  // call at start. A database with more steps than given is from a newer version: conflict.
  base::Status migrate(std::string_view room, std::span<const std::string_view> steps);

  // fn: base::Result<T>(Connection&), run on the writer thread. Not cancellable once queued.
  template <class Fn>
  auto write(Fn fn) -> Task<std::invoke_result_t<Fn&, Connection&>> {
    using Out = std::invoke_result_t<Fn&, Connection&>;
    return submit<Out>(Queue::writes, std::move(fn));
  }
  // fn: base::Result<T>(Connection&) on the reader thread, in one snapshot; sees every write that has been answered.
  template <class Fn>
  auto read(Fn fn) -> Task<std::invoke_result_t<Fn&, Connection&>> {
    using Out = std::invoke_result_t<Fn&, Connection&>;
    return submit<Out>(Queue::reads, std::move(fn));
  }
  // As write(), for callers that do not wait: `done` runs on the executor after the commit. An unhurried one waits up to kLongestWait
  // for a commit that somebody waits for and goes with it; the order of writes is kept.
  template <class Fn, class Done>
  void post_write(Fn fn, Done done, Haste haste = Haste::at_once) {
    using Out = std::invoke_result_t<Fn&, Connection&>;
    enqueue(haste == Haste::at_once ? Queue::writes : Queue::unhurried, make_job<Out>(std::move(fn), std::move(done)));
  }

  std::uint64_t commits() const;  // so far, for measurements and tests

 private:
  enum class Queue { writes, unhurried, reads };
  // A queued closure: run() on a database thread, deliver() from there once the outcome is final.
  struct Job {
    virtual ~Job() = default;
    virtual base::Status run(Connection& connection) = 0;
    virtual void fail(base::Error error) = 0;  // replaces the outcome
    virtual void deliver(const boost::asio::any_io_executor& executor) = 0;
  };
  template <class Out, class Fn, class Done>
  struct JobOf final : Job {
    JobOf(Fn fn_, Done done_) : fn(std::move(fn_)), done(std::move(done_)) {}
    base::Status run(Connection& connection) override {
      out = fn(connection);
      if (!out) return base::fail(out.error());
      return {};
    }
    void fail(base::Error error) override { out = base::fail(std::move(error)); }
    void deliver(const boost::asio::any_io_executor& executor) override {
      boost::asio::post(executor, [done_ = std::move(done), out_ = std::move(out)]() mutable { done_(std::move(out_)); });
    }
    Fn fn;
    Done done;
    Out out = base::fail(base::ErrorCode::internal, "not run");
  };
  template <class Out, class Fn, class Done>
  static std::unique_ptr<Job> make_job(Fn fn, Done done) {
    return std::make_unique<JobOf<Out, Fn, Done>>(std::move(fn), std::move(done));
  }
  template <class Out, class Fn>
  Task<Out> submit(Queue queue, Fn fn) {
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Out)>(
        [this, queue](auto handler, Fn fn_) {
          auto work = boost::asio::make_work_guard(executor_);
          auto done = [handler_ = std::move(handler), work_ = std::move(work)](Out out) mutable { std::move(handler_)(std::move(out)); };
          enqueue(queue, make_job<Out>(std::move(fn_), std::move(done)));
        },
        boost::asio::use_awaitable, std::move(fn));
  }

  explicit Database(boost::asio::any_io_executor executor, DatabaseSettings settings);
  void enqueue(Queue queue, std::unique_ptr<Job> job);
  void write_loop();
  void read_loop();
  void run_group(std::vector<std::unique_ptr<Job>>& group);

  struct Threads;
  boost::asio::any_io_executor executor_;
  DatabaseSettings settings_;
  std::unique_ptr<Threads> threads_;
};

}  // namespace kinora::store
