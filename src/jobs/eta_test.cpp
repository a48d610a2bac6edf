#include "jobs/eta.hpp"

#include <gtest/gtest.h>

namespace kinora::jobs {
namespace {

using namespace std::chrono_literals;
const base::UnixMillis kStart{std::chrono::milliseconds(1'767'225'600'000)};

TEST(Eta, is_unknown_before_anything_was_measured) {
  const EtaBook book;
  EXPECT_FALSE(book.seconds("clip\n"));
  EXPECT_FALSE(book.until_done("clip\n", 1, 4));
}

TEST(Eta, counts_rounds_of_as_many_as_work_at_once) {
  EtaBook book;
  book.learn("clip\n", 10);
  EXPECT_EQ(book.until_done("clip\n", 1, 4), 10);
  EXPECT_EQ(book.until_done("clip\n", 4, 4), 10);
  EXPECT_EQ(book.until_done("clip\n", 5, 4), 20);
  EXPECT_FALSE(book.until_done("clip\n", 5, 0));
  EXPECT_FALSE(book.until_done("loop\n", 1, 4));
}

TEST(Eta, follows_what_tasks_take_now) {
  EtaBook book;
  book.learn("x", 10);
  book.learn("x", 20);  // 10 + 0.2 * 10
  EXPECT_DOUBLE_EQ(*book.seconds("x"), 12);
}

TEST(Eta, tells_how_far_its_promises_were_off) {
  EtaBook book;
  book.promise("a", 10, kStart);
  book.promise("a", 99, kStart + 1s);  // the first one counts
  book.succeeded("a", kStart + 8s);
  book.promise("b", 1, kStart);
  book.succeeded("b", kStart + 5s);
  book.promise("c", 1, kStart);
  book.forget("c");
  book.succeeded("c", kStart + 500s);
  book.succeeded("unknown", kStart);
  EXPECT_EQ(book.accuracy().jobs, 2);
  EXPECT_DOUBLE_EQ(book.accuracy().mean_error_s, 3);          // (2 + 4) / 2
  EXPECT_DOUBLE_EQ(book.accuracy().mean_error_ratio, 0.525);  // (2/8 + 4/5) / 2
}

}  // namespace
}  // namespace kinora::jobs
