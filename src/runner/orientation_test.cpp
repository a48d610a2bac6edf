#include "runner/orientation.hpp"

#include <gtest/gtest.h>

namespace kinora::runner {
namespace {

constexpr std::int32_t kOne = 65536;

// Pictures are written out by hand: 2 wide, 3 high.
const Buffer kStored{1, 2,  //
                     3, 4,  //
                     5, 6};

Buffer turned(std::int32_t a, std::int32_t b, std::int32_t c, std::int32_t d) {
  return turn(kStored, 2, 3, 1, orientation_of({a, b, 0, c, d, 0, 0, 0, 1 << 30}));
}

TEST(Orientation, turns_by_quarter_turns_and_mirrors) {
  EXPECT_EQ(turned(kOne, 0, 0, kOne), kStored);
  EXPECT_EQ(turned(-kOne, 0, 0, -kOne), (Buffer{6, 5, 4, 3, 2, 1}));  // half a turn
  EXPECT_EQ(turned(0, kOne, -kOne, 0), (Buffer{5, 3, 1, 6, 4, 2}));   // clockwise
  EXPECT_EQ(turned(0, -kOne, kOne, 0), (Buffer{2, 4, 6, 1, 3, 5}));   // counter-clockwise
  EXPECT_EQ(turned(-kOne, 0, 0, kOne), (Buffer{2, 1, 4, 3, 6, 5}));   // mirrored left-right
}

TEST(Orientation, moves_whole_pixels) {
  const Buffer pixels{1, 2, 3, 4, 5, 6};  // two pixels of three bytes, side by side
  EXPECT_EQ(turn(pixels, 2, 1, 3, {.xx = -1, .xy = 0, .yx = 0, .yy = -1}), (Buffer{4, 5, 6, 1, 2, 3}));
}

TEST(Orientation, takes_other_angles_as_upright) {
  EXPECT_TRUE(orientation_of({46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30}).upright());
  EXPECT_TRUE(orientation_of({}).upright());
}

}  // namespace
}  // namespace kinora::runner
