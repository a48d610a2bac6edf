#include "media/joints.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kinora::media {
namespace {

struct Picture {
  std::int64_t pts;
  bool key;
};

// A letter for each picture: j, or a dot.
std::string joints_of(Rational clock, const std::vector<Picture>& pictures) {
  Joints joints(clock);
  std::string out;
  for (const Picture& picture : pictures) out += joints.next(picture.pts, picture.key) ? 'j' : '.';
  return out;
}

TEST(Joints, are_key_frames_behind_another_picture) {
  EXPECT_EQ(joints_of({1, 25}, {{0, true}, {1, false}, {2, true}, {3, false}, {4, false}, {5, true}}), "..j..j");
  EXPECT_EQ(joints_of({1, 25}, {{0, false}, {1, false}, {50, false}, {51, true}}), "...j");
}

TEST(Joints, of_key_frames_in_a_row_are_where_two_seconds_begin) {
  EXPECT_EQ(joints_of({1, 25}, {{0, true}, {1, true}, {49, true}, {50, true}, {51, true}, {99, true}, {101, true}, {300, true}}),
            "...j..jj");
  EXPECT_EQ(joints_of({1, 1}, {{7, true}, {9, true}, {11, true}}), ".jj");
  EXPECT_EQ(joints_of({1, 1}, {{6, true}, {7, true}, {8, true}}), "..j");
}

// 1001/30000 s a tick: 59 ticks are 1.9686 s, 60 are 2.002 s; 119 are 3.9706 s, 120 are 4.004 s.
TEST(Joints, are_exact_on_clocks_that_do_not_divide_a_second_and_before_time_zero) {
  EXPECT_EQ(joints_of({1001, 30000}, {{58, true}, {59, true}, {60, true}, {61, true}, {119, true}, {120, true}}), "..j..j");
  EXPECT_EQ(joints_of({1001, 30000}, {{-61, true}, {-60, true}, {-59, true}, {-1, true}, {0, true}, {1, true}}), "..j.j.");
  // Where a double has no half ticks left.
  const std::int64_t late = std::int64_t{1} << 54;
  EXPECT_EQ(joints_of({1, 1}, {{late - 2, true}, {late - 1, true}, {late, true}, {late + 1, true}}), "..j.");
}

}  // namespace
}  // namespace kinora::media
