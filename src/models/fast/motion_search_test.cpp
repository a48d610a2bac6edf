#include "models/fast/motion_search.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>

namespace kinora::models::fast {
namespace {

constexpr int kWidth = 96, kHeight = 72;

// A smooth pattern that is unlike itself elsewhere, seen through a window at (x, y).
Luma scene(double x, double y) {
  std::vector<std::uint8_t> rgb(kWidth * kHeight * 3);
  for (int j = 0; j < kHeight; ++j)
    for (int i = 0; i < kWidth; ++i) {
      const double u = i + x, v = j + y;
      const double value = 128 + 50 * std::sin(u / 5) * std::cos(v / 7) + 40 * std::sin((u * u / 90 + v) / 11) + 20 * std::cos(v * u / 300);
      for (int c = 0; c < 3; ++c) rgb[static_cast<std::size_t>((j * kWidth + i) * 3 + c)] = static_cast<std::uint8_t>(value);
    }
  return Luma({.data = rgb.data(), .width = kWidth, .height = kHeight});
}

TEST(MotionSearch, finds_whole_and_parts_of_pixels) {
  const Luma earlier = scene(0, 0);
  for (const int scale : {1, 2, 3, 4}) {
    const double part = 1.0 / scale;
    for (const auto& [x, y] : {std::pair{0.0, 0.0}, {3.0, -2.0}, {-5.0, 4.0 + part}, {1 - part, part}}) {
      const Luma now = scene(x, y);
      const MotionSearch search(now, earlier, scale);
      const std::array<Vector, 1> none{};
      const Match match = search.find(5, 4, none);
      EXPECT_EQ(match.vector, (Vector{static_cast<int>(std::lround(x * scale)), static_cast<int>(std::lround(y * scale))}))
          << x << ' ' << y << " at scale " << scale;
      EXPECT_LT(match.error, 1.5F);
    }
  }
}

TEST(MotionSearch, follows_a_predictor_beyond_its_own_steps) {
  const Luma earlier = scene(0, 0), now = scene(26, 0);
  const MotionSearch search(now, earlier, 2);
  const std::array<Vector, 2> guesses{Vector{}, Vector{50, 1}};
  EXPECT_EQ(search.find(3, 4, guesses).vector, (Vector{52, 0}));
}

TEST(MotionSearch, stays_within_the_margin_whatever_is_guessed) {
  const Luma earlier = scene(0, 0), now = scene(0, 0);
  const MotionSearch search(now, earlier, 4);
  const std::array<Vector, 3> wild{Vector{1'000'000, -1'000'000}, Vector{-1'000'000, 1'000'000}, Vector{}};
  for (const auto& [column, row] : {std::pair{0, 0}, {11, 8}, {0, 8}, {11, 0}}) EXPECT_EQ(search.find(column, row, wild).vector, Vector{});
}

TEST(MotionSearch, tells_how_far_off_the_best_is) {
  std::vector<std::uint8_t> black(kWidth * kHeight * 3, 0), grey(kWidth * kHeight * 3, 20);
  const Luma now({.data = grey.data(), .width = kWidth, .height = kHeight}),
      earlier({.data = black.data(), .width = kWidth, .height = kHeight});
  EXPECT_NEAR(MotionSearch(now, earlier, 2).find(2, 2, std::array<Vector, 1>{}).error, 20, 0.01);
}

}  // namespace
}  // namespace kinora::models::fast
