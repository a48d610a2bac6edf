#include "runner/timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::runner {
namespace {

using media::Rational;

// 24000/1001 on a clock of 1/24000, to 60: 2.5 pictures (and 1001/1000) a source picture.
TEST(Timeline, of_a_constant_rate_is_exact_over_an_hour) {
  const Timeline line(Rational{1, 24000}, 1001 * 7, TargetRate{{60, 1}});
  std::int64_t shown = 0, last = -1;
  for (std::int64_t i = 7; i < 7 + 86314; ++i)  // 86314 pictures of 1001/24000 s: 3600.01 s
    for (const Shown& one : line.between(i * 1001, (i + 1) * 1001)) {
      EXPECT_GT(one.pts, last);
      last = one.pts;
      EXPECT_GE(one.t, 0);
      EXPECT_LT(one.t, 1);
      // The n-th picture stands at origin + n/60 s exactly: 1/60 s are 2000 ticks of 1/120000.
      const __int128 ticks = static_cast<__int128>(one.pts) * line.clock().num * 120000 / line.clock().den;
      EXPECT_EQ(static_cast<std::int64_t>(ticks), 1001 * 7 * 5 + shown * 2000);
      ++shown;
    }
  EXPECT_EQ(shown, 216001);  // ceil(86314 * 1001 / 24000 * 60)
}

TEST(Timeline, of_a_factor_divides_every_interval_of_a_variable_rate) {
  const Timeline line(Rational{1, 1000}, 0, Factor{4});
  const auto times = [&](std::int64_t from, std::int64_t to) {
    std::vector<double> all;
    for (const Shown& one : line.between(from, to)) all.push_back(media::Timestamp{one.pts, line.clock()}.seconds());
    return all;
  };
  EXPECT_THAT(times(0, 40), ::testing::ElementsAre(0, 0.01, 0.02, 0.03));
  EXPECT_THAT(times(40, 43), ::testing::Pointwise(::testing::DoubleNear(1e-12), {0.04, 0.04075, 0.0415, 0.04225}));
  EXPECT_EQ(line.between(40, 43)[3].t, 0.75);
}

TEST(Timeline, down_to_a_lower_rate_leaves_pictures_out) {
  const Timeline line(Rational{1, 50}, 0, TargetRate{{20, 1}});
  EXPECT_EQ(line.between(0, 1).size(), 1U);
  EXPECT_EQ(line.between(1, 2).size(), 0U);
  EXPECT_EQ(line.between(2, 3).front().t, 0.5);  // 0.05 s: between 0.04 and 0.06
  EXPECT_DOUBLE_EQ(line.growth({50, 1}), 0.4);
}

TEST(Timeline, whose_clocks_have_no_common_tick_keeps_the_rate_and_rounds_the_origin) {
  const Timeline line(Rational{1, 999999937}, 5, TargetRate{{60000, 1001}});
  const auto shown = line.between(5, 5 + 999999937);
  EXPECT_EQ(shown.size(), 60U);
  EXPECT_EQ(shown[1].pts - shown[0].pts, 1001);
  EXPECT_EQ(line.clock(), (Rational{1, 60000}));
}

// What a job cut in parts shows is what the whole shows.
TEST(Timeline, of_parts_is_that_of_the_whole) {
  const Timeline line(Rational{1, 90000}, 12345, TargetRate{{60, 1}});
  std::vector<std::int64_t> whole, parts;
  for (const Shown& one : line.between(12345, 12345 + 90000)) whole.push_back(one.pts);
  for (int i = 0; i < 25; ++i)
    for (const Shown& one : line.between(12345 + i * 3600, 12345 + (i + 1) * 3600)) parts.push_back(one.pts);
  EXPECT_EQ(parts, whole);
}

}  // namespace
}  // namespace kinora::runner
