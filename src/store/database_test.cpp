#include "store/database.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>

#include "store/testing.hpp"

namespace kinora::store {
namespace {

namespace asio = boost::asio;
using testing::run;

constexpr std::array<std::string_view, 1> kSteps{"CREATE TABLE t(i INTEGER PRIMARY KEY) STRICT"};

base::Result<std::int64_t> count(Connection& connection) {
  KINORA_TRY(Statement row, connection.query("SELECT COUNT(*) FROM t"));
  KINORA_TRY(const bool there, row.step());
  return there ? row.integer(0) : -1;
}
auto insert(std::int64_t i) {
  return [i](Connection& connection) -> base::Result<std::int64_t> { return connection.run("INSERT INTO t VALUES(?)", i); };
}

class DatabaseTest : public ::testing::Test {
 protected:
  std::unique_ptr<Database> open() {
    auto database = Database::open(context_.get_executor(),
                                   {.path = folder_.path() / "db", .max_group = 256, .allow_commit = [this] { return allow_.load(); }});
    EXPECT_TRUE(database) << database.error().message;
    EXPECT_TRUE((*database)->migrate("test", kSteps));
    return std::move(*database);
  }
  testing::TempFolder folder_;
  asio::io_context context_;
  std::atomic<bool> allow_ = true;
};

TEST_F(DatabaseTest, reads_what_was_written) {
  auto database = open();
  EXPECT_EQ(run(context_, database->write(insert(7))), 1);
  EXPECT_EQ(run(context_, database->read(count)), 1);
}

TEST_F(DatabaseTest, undoes_only_the_write_that_failed) {
  auto database = open();
  const auto bad = [](Connection& connection) -> base::Result<std::int64_t> {
    KINORA_TRY(auto changed, connection.run("INSERT INTO t VALUES(100)"));
    static_cast<void>(changed);
    return base::fail(base::ErrorCode::conflict, "thought better of it");
  };
  int good = 0, refused = 0;
  for (int i = 0; i < 20; ++i) {
    if (i % 5 == 0)
      database->post_write(bad, [&](const base::Result<std::int64_t>& out) { refused += !out; });
    else
      database->post_write(insert(i), [&](const base::Result<std::int64_t>& out) { good += out.has_value(); });
  }
  EXPECT_EQ(run(context_, database->write(count)), 16);
  EXPECT_EQ(good, 16);
  EXPECT_EQ(refused, 4);
}

TEST_F(DatabaseTest, puts_waiting_writes_into_few_commits) {
  auto database = open();
  // The first closure holds the writer until all others are queued, so they must share a commit.
  std::promise<void> queued;
  const auto before = database->commits();
  database->post_write(
      [&](Connection&) -> base::Status {
        queued.get_future().wait();
        return {};
      },
      [](const base::Status&) {});
  for (int i = 0; i < 100; ++i) database->post_write(insert(i), [](const base::Result<std::int64_t>&) {});
  queued.set_value();
  EXPECT_EQ(run(context_, database->write(count)), 100);
  EXPECT_LE(database->commits() - before, 3u);
}

TEST_F(DatabaseTest, runs_writes_in_the_order_of_the_calls) {
  auto database = open();
  std::vector<int> order;
  for (int i = 0; i < 300; ++i)
    database->post_write(
        [&order, i](Connection&) -> base::Status {
          order.push_back(i);
          return {};
        },
        [](const base::Status&) {});
  EXPECT_TRUE(run(context_, database->write([](Connection&) -> base::Status { return {}; })));
  ASSERT_EQ(order.size(), 300u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(DatabaseTest, fails_every_write_of_a_commit_that_failed) {
  auto database = open();
  allow_ = false;
  EXPECT_EQ(run(context_, database->write(insert(1))).error().code, base::ErrorCode::io);
  allow_ = true;
  EXPECT_EQ(run(context_, database->read(count)), 0);
  EXPECT_EQ(run(context_, database->write(insert(1))), 1);
}

TEST_F(DatabaseTest, reports_a_full_database_as_exhausted) {
  auto database = open();
  const auto full = [](Connection& connection) -> base::Status {
    KINORA_OK(connection.exec("PRAGMA max_page_count=8"));
    for (int i = 0; i < 100'000; ++i) {
      auto added = connection.run("INSERT INTO t VALUES(?)", i);
      if (!added) return base::fail(added.error());
    }
    return {};
  };
  EXPECT_EQ(run(context_, database->write(full)).error().code, base::ErrorCode::exhausted);
  EXPECT_EQ(run(context_, database->read(count)), 0);
}

TEST_F(DatabaseTest, keeps_committed_rows_over_a_reopen_and_migrates_once) {
  {
    EXPECT_EQ(run(context_, open()->write(insert(7))), 1);
  }
  auto database = open();
  EXPECT_EQ(run(context_, database->read(count)), 1);
}

TEST_F(DatabaseTest, refuses_a_database_of_a_newer_version) {
  auto database = open();
  const auto status = database->migrate("test", {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::conflict);
}

TEST_F(DatabaseTest, undoes_a_migration_step_that_fails) {
  auto database = open();
  const std::array<std::string_view, 2> steps{kSteps[0], "CREATE TABLE u(i INTEGER) STRICT; nonsense"};
  EXPECT_FALSE(database->migrate("test", steps));
  const auto has_u = [](Connection& connection) -> base::Result<std::int64_t> {
    KINORA_TRY(Statement row, connection.query("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'u'"));
    KINORA_TRY(const bool there, row.step());
    return there ? row.integer(0) : -1;
  };
  EXPECT_EQ(run(context_, database->read(has_u)), 0);
}

TEST_F(DatabaseTest, writes_through_to_the_disk) {
  auto database = open();
  const auto pragma = [](std::string sql) {
    return [sql = std::move(sql)](Connection& connection) -> base::Result<std::string> {
      KINORA_TRY(Statement row, connection.query(sql));
      KINORA_TRY(const bool there, row.step());
      return there ? std::string(row.text(0)) : std::string();
    };
  };
  EXPECT_EQ(run(context_, database->write(pragma("PRAGMA journal_mode"))), "wal");
  EXPECT_EQ(run(context_, database->write(pragma("PRAGMA synchronous"))), "2");  // FULL
}

}  // namespace
}  // namespace kinora::store
