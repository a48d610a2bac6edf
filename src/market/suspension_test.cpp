#include "market/suspension.hpp"

#include <gtest/gtest.h>

namespace kinora::market {
namespace {

using namespace std::chrono_literals;
constexpr base::UnixMillis kNow{1'000'000ms};
constexpr BackOff kRule{1s, 60s};

TEST(Suspension, doubles_with_each_failure_up_to_the_longest) {
  Suspension suspension;
  for (const auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    suspension.failed(kNow, kRule);
    EXPECT_EQ(suspension.left(kNow), expected);
  }
}

TEST(Suspension, stays_at_the_longest_however_often_it_fails) {
  Suspension suspension;
  for (int i = 0; i < 1000; ++i) suspension.failed(kNow, kRule);
  EXPECT_EQ(suspension.left(kNow), 60s);
}

TEST(Suspension, ends_by_itself) {
  Suspension suspension;
  EXPECT_FALSE(suspension.active(kNow));
  suspension.failed(kNow, kRule);
  EXPECT_TRUE(suspension.active(kNow + 999ms));
  EXPECT_FALSE(suspension.active(kNow + 1s));
  EXPECT_EQ(suspension.left(kNow + 5s), 0ms);
}

TEST(Suspension, is_forgiven_by_success) {
  Suspension suspension;
  suspension.failed(kNow, kRule);
  suspension.failed(kNow, kRule);
  suspension.succeeded();
  EXPECT_FALSE(suspension.active(kNow));
  suspension.failed(kNow, kRule);
  EXPECT_EQ(suspension.left(kNow), 1s);
}

}  // namespace
}  // namespace kinora::market
