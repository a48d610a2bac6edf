// Expected values by hand from the definition: what stands still is the mean of both neighbours, what moves is left alone.
#include "media/still_parts.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "media/av.hpp"
#include "media/blend.hpp"

namespace kinora::media {
namespace {

using Level = std::function<int(int x, int y)>;

int shift(int plane) { return plane == 0 ? 0 : 1; }

// luma: of each pixel; chroma is grey.
Frame picture(int width, int height, const Level& luma, PixelFormat format = PixelFormat::yuv420p) {
  Frame frame = *Frame::create(width, height, format);
  const bool deep = format == PixelFormat::yuv420p10;
  for (int plane = 0; plane < 3; ++plane) {
    for (int y = 0; y < AV_CEIL_RSHIFT(height, shift(plane)); ++y) {
      std::uint8_t* row = frame.av()->data[plane] + static_cast<std::ptrdiff_t>(y) * frame.av()->linesize[plane];
      for (int x = 0; x < AV_CEIL_RSHIFT(width, shift(plane)); ++x) {
        const int value = plane == 0 ? luma(x, y) : deep ? 512 : 128;
        if (deep)
          reinterpret_cast<std::uint16_t*>(row)[x] = static_cast<std::uint16_t>(value);
        else
          row[x] = static_cast<std::uint8_t>(value);
      }
    }
  }
  return frame;
}
Frame picture(const Level& luma) { return picture(96, 64, luma); }
Level level(int value) {
  return [value](int, int) { return value; };
}
// Noise of this deviation about a level, another one for each seed.
Level noise(int middle, double deviation, unsigned seed) {
  return [=, random = std::mt19937(seed), normal = std::normal_distribution<double>(middle, deviation)](int, int) mutable {
    return static_cast<int>(std::lround(std::clamp(normal(random), 0.0, 255.0)));
  };
}

int at(const Frame& frame, int x, int y, int plane = 0) {
  const std::uint8_t* row = frame.av()->data[plane] + static_cast<std::ptrdiff_t>(y) * frame.av()->linesize[plane];
  return frame.bit_depth() > 8 ? reinterpret_cast<const std::uint16_t*>(row)[x] : row[x];
}
bool same(const Frame& a, const Frame& b) {
  for (int plane = 0; plane < 3; ++plane)
    for (int y = 0; y < AV_CEIL_RSHIFT(a.height(), shift(plane)); ++y)
      for (int x = 0; x < AV_CEIL_RSHIFT(a.width(), shift(plane)); ++x)
        if (at(a, x, y, plane) != at(b, x, y, plane)) return false;
  return true;
}

TEST(StillParts, what_is_equal_in_both_comes_back_to_the_bit) {
  for (const auto& [width, height] : {std::pair{96, 64}, {97, 51}, {8, 8}, {1, 1}, {3, 130}}) {
    const Frame a = picture(width, height, noise(128, 40, 1));
    Frame made = picture(width, height, noise(128, 40, 2));
    ASSERT_TRUE(keep_still_parts(made, a, a, 0.3));
    EXPECT_TRUE(same(made, a)) << width << "x" << height;
  }
}

TEST(StillParts, noise_stands_still_and_is_the_mean_of_both) {
  const Frame a = picture(noise(100, 1, 1)), b = picture(noise(100, 1, 2));
  Frame made = picture(level(90));
  ASSERT_TRUE(keep_still_parts(made, a, b, 0.5));
  EXPECT_TRUE(same(made, *crossfade(a, b, 0.5)));
  made = picture(level(90));
  ASSERT_TRUE(keep_still_parts(made, a, b, 0.25));
  EXPECT_TRUE(same(made, *crossfade(a, b, 0.25)));
}

// The right half moves. A block beside it counts as moving too; from its centre on to that of the next one it fades.
TEST(StillParts, what_moves_is_left_alone_and_no_step_is_seen_between) {
  const Frame a = picture([](int x, int) { return x < 48 ? 100 : 50; }), b = picture([](int x, int) { return x < 48 ? 100 : 150; });
  Frame made = picture(level(60));
  ASSERT_TRUE(keep_still_parts(made, a, b, 0.5));
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 36; ++x) EXPECT_EQ(at(made, x, y), 100) << x;
    EXPECT_EQ(at(made, 39, y), 83);  // 9 / 16 of the way from 60 to 100
    for (int x = 36; x < 44; ++x) EXPECT_LE(at(made, x, y), at(made, x - 1, y));
    for (int x = 44; x < 96; ++x) EXPECT_EQ(at(made, x, y), 60) << x;
  }
}

// By hand: one pixel of 64 that rises by 60 is a root mean square of 7.5; two in a block, one down, one up, are 10.6.
TEST(StillParts, a_dot_that_jumps_moves) {
  const Frame a = picture([](int x, int y) { return x == 43 && y == 28 ? 160 : 100; });
  const Frame b = picture([](int x, int y) { return x == 45 && y == 28 ? 160 : 100; });
  Frame made = picture([](int x, int y) { return x == 44 && y == 28 ? 160 : 90; });
  ASSERT_TRUE(keep_still_parts(made, a, b, 0.5));
  EXPECT_EQ(at(made, 44, 28), 160);
  EXPECT_EQ(at(made, 38, 28), 90);
  EXPECT_EQ(at(made, 4, 4), 100);
}

TEST(StillParts, colour_that_changes_moves) {
  const Frame a = picture(level(100));
  Frame b = picture(level(100));
  for (int y = 0; y < 32; ++y)
    for (int x = 0; x < 48; ++x) b.av()->data[2][static_cast<std::ptrdiff_t>(y) * b.av()->linesize[2] + x] = 140;
  Frame made = picture(level(90));
  ASSERT_TRUE(keep_still_parts(made, a, b, 0.5));
  EXPECT_TRUE(same(made, picture(level(90))));
}

// Four levels of eight bits still stand still, eight do not, six do by half: the same in ten bits, where they are four times as many.
TEST(StillParts, the_bounds_are_the_same_light_in_ten_bits) {
  for (const auto& [off, expected] : {std::pair{4, 102}, {6, 97}, {8, 90}}) {
    Frame made = picture(level(90));
    ASSERT_TRUE(keep_still_parts(made, picture(level(100)), picture(level(100 + off)), 0.5));
    EXPECT_EQ(at(made, 50, 30), expected) << off;
  }
  constexpr auto kDeep = PixelFormat::yuv420p10;
  for (const auto& [off, expected] : {std::pair{16, 408}, {24, 386}, {32, 360}}) {
    Frame made = picture(96, 64, level(360), kDeep);
    ASSERT_TRUE(keep_still_parts(made, picture(96, 64, level(400), kDeep), picture(96, 64, level(400 + off), kDeep), 0.5));
    EXPECT_EQ(at(made, 50, 30), expected) << off;
  }
}

TEST(StillParts, pictures_of_another_size_or_format_change_nothing) {
  Frame made = picture(level(90));
  ASSERT_TRUE(keep_still_parts(made, picture(level(100)), picture(94, 64, level(100)), 0.5));
  ASSERT_TRUE(keep_still_parts(made, picture(96, 64, level(400), PixelFormat::yuv420p10), picture(level(100)), 0.5));
  EXPECT_TRUE(same(made, picture(level(90))));
}

// A picture that shares its pixels with another one gets its own first.
TEST(StillParts, another_reference_to_the_picture_keeps_its_pixels) {
  Frame made = picture(level(90));
  const Frame before = made;
  ASSERT_TRUE(keep_still_parts(made, picture(level(100)), picture(level(100)), 0.5));
  EXPECT_EQ(at(made, 50, 30), 100);
  EXPECT_EQ(at(before, 50, 30), 90);
}

TEST(Crossfade, rounds_halves_up_and_refuses_other_shapes) {
  const Frame mean = *crossfade(picture(level(16)), picture(level(235)), 0.5);
  EXPECT_EQ(at(mean, 0, 0), 126);  // 125.5
  EXPECT_EQ(at(mean, 95, 63), 126);
  EXPECT_EQ(at(mean, 0, 0, 1), 128);
  EXPECT_FALSE(crossfade(picture(level(16)), picture(94, 64, level(16)), 0.5));
}

}  // namespace
}  // namespace kinora::media
