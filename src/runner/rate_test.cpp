#include "runner/rate.hpp"

#include <gtest/gtest.h>

namespace kinora::runner {
namespace {

using namespace std::chrono_literals;
const Rate::Clock::time_point kStart{};

TEST(Rate, knows_nothing_before_two_moments) {
  Rate rate;
  EXPECT_EQ(rate.per_second(), std::nullopt);
  rate.add(1, kStart);
  EXPECT_EQ(rate.per_second(), std::nullopt);
  EXPECT_EQ(rate.seconds_left(10), std::nullopt);
}

TEST(Rate, tells_units_a_second_and_the_time_left) {
  Rate rate;
  rate.add(1, kStart);
  rate.add(11, kStart + 2s);
  EXPECT_DOUBLE_EQ(rate.per_second().value(), 5.0);
  EXPECT_DOUBLE_EQ(rate.seconds_left(31).value(), 4.0);
  EXPECT_EQ(rate.seconds_left(0), std::nullopt);  // total unknown
  EXPECT_DOUBLE_EQ(rate.seconds_left(5).value(), 0.0);
}

TEST(Rate, follows_a_change_within_its_window) {
  Rate rate;
  std::int64_t units = 0;
  auto now = kStart;
  for (int i = 0; i < 100; ++i) rate.add(units += 10, now += 1s);
  for (int i = 0; i < 6; ++i) rate.add(units += 1, now += 1s);
  EXPECT_NEAR(rate.per_second().value(), 1.0, 1e-9);
}

TEST(Rate, stays_small_however_often_it_is_told) {
  Rate rate;
  auto now = kStart;
  for (int i = 0; i < 100'000; ++i) rate.add(i, now += 10us);
  EXPECT_NEAR(rate.per_second().value(), 100'000.0, 1.0);
}

}  // namespace
}  // namespace kinora::runner
