#include "media/decode_times.hpp"

#include <gtest/gtest.h>

namespace kinora::media {
namespace {

using Times = std::vector<std::int64_t>;

TEST(DecodeTimes, are_the_presentation_times_without_reordering) { EXPECT_EQ(decode_times({5, 7, 10}), (Times{5, 7, 10})); }

TEST(DecodeTimes, are_delayed_by_the_depth_of_reordering) {
  // I P B B: the first B is two places late.
  EXPECT_EQ(decode_times({0, 3, 1, 2}), (Times{-1, 0, 1, 2}));
  // I P B(ref) b b: a pyramid, depth 2.
  EXPECT_EQ(decode_times({0, 4, 2, 1, 3}), (Times{-2, -1, 0, 1, 2}));
}

TEST(DecodeTimes, rise_and_never_pass_the_picture_with_uneven_steps) {
  const Times pts{0, 1000, 400, 90, 700, 5000, 3000, 1001};
  const Times dts = decode_times(pts);
  ASSERT_EQ(dts.size(), pts.size());
  for (std::size_t i = 0; i < pts.size(); ++i) {
    EXPECT_LE(dts[i], pts[i]);
    if (i > 0) EXPECT_GT(dts[i], dts[i - 1]);
  }
}

TEST(DecodeTimes, do_not_exist_for_two_pictures_at_once) {
  EXPECT_TRUE(decode_times({0, 1, 1}).empty());
  EXPECT_TRUE(decode_times({}).empty());
}

}  // namespace
}  // namespace kinora::media
