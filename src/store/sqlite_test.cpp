#include "store/sqlite.hpp"

#include <gtest/gtest.h>

#include "store/testing.hpp"

namespace kinora::store {
namespace {

class Sqlite : public ::testing::Test {
 protected:
  testing::TempFolder folder_;
  Connection connection_ = *Connection::open(folder_.path() / "db", OpenMode::read_write);
};

TEST_F(Sqlite, gives_back_what_was_bound) {
  ASSERT_TRUE(connection_.exec("CREATE TABLE t(i INTEGER, r REAL, s TEXT, b BLOB, n TEXT) STRICT"));
  const std::uint8_t bytes[] = {0, 1, 255};
  ASSERT_TRUE(connection_.run("INSERT INTO t VALUES(?, ?, ?, ?, ?)", std::int64_t{1} << 53, 0.5, "t\xc3\xa4xt", base::ByteView(bytes),
                              std::optional<std::string>()));
  auto row = connection_.query("SELECT i, r, s, b, n FROM t");
  ASSERT_TRUE(row);
  ASSERT_EQ(row->step(), true);
  EXPECT_EQ(row->integer(0), std::int64_t{1} << 53);
  EXPECT_EQ(row->real(1), 0.5);
  EXPECT_EQ(row->text(2), "t\xc3\xa4xt");
  EXPECT_EQ(base::Bytes(row->bytes(3).begin(), row->bytes(3).end()), (base::Bytes{0, 1, 255}));
  EXPECT_TRUE(row->is_null(4));
  EXPECT_EQ(row->optional_text(4), std::nullopt);
  EXPECT_EQ(row->step(), false);
}

TEST_F(Sqlite, tells_broken_constraints_from_wrong_sql) {
  ASSERT_TRUE(connection_.exec("CREATE TABLE t(i INTEGER PRIMARY KEY) STRICT"));
  ASSERT_TRUE(connection_.run("INSERT INTO t VALUES(1)"));
  EXPECT_EQ(connection_.run("INSERT INTO t VALUES(1)").error().code, base::ErrorCode::conflict);
  EXPECT_EQ(connection_.run("INSERT INTO nowhere VALUES(1)").error().code, base::ErrorCode::internal);
  EXPECT_EQ(connection_.run("INSERT INTO t VALUES('x')").error().code, base::ErrorCode::internal);  // mismatch in a STRICT table
}

TEST_F(Sqlite, takes_a_double_quoted_text_for_a_name) { EXPECT_FALSE(connection_.run("SELECT \"no such column\"")); }

TEST_F(Sqlite, runs_one_cached_statement_inside_itself) {
  ASSERT_TRUE(connection_.exec("CREATE TABLE t(i INTEGER) STRICT; INSERT INTO t VALUES(1), (2)"));
  constexpr std::string_view sql = "SELECT i FROM t ORDER BY i";
  auto outer = connection_.query(sql);
  ASSERT_EQ(outer->step(), true);
  {
    auto inner = connection_.query(sql);
    ASSERT_EQ(inner->step(), true);
    EXPECT_EQ(inner->integer(0), 1);
  }
  ASSERT_EQ(outer->step(), true);
  EXPECT_EQ(outer->integer(0), 2);
}

TEST_F(Sqlite, refuses_two_statements_in_one) { EXPECT_FALSE(connection_.query("SELECT 1; SELECT 2")); }

TEST_F(Sqlite, says_why_a_file_cannot_be_opened) {
  const auto missing = Connection::open(folder_.path() / "no" / "db", OpenMode::read_write);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::ErrorCode::io);
  EXPECT_NE(missing.error().message.find("no/db"), std::string::npos);
}

}  // namespace
}  // namespace kinora::store
