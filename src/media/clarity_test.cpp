#include "media/clarity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "media/test_tools.hpp"
#include "media/verify.hpp"

namespace kinora::media {
namespace {

using namespace testing;

LumaPatch patch(std::size_t side, const std::function<float(std::size_t x, std::size_t y)>& value) {
  LumaPatch out{side, side, {}};
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x) out.values.push_back(value(x, y));
  return out;
}

// By hand: an edge of 100 is one difference of 100, of which the mean of nine leaves 100 / 9.
TEST(Clarity, an_edge_is_sharp_and_a_slope_is_not) {
  EXPECT_NEAR(sharpness(patch(32, [](auto x, auto) { return x < 16 ? 0.0F : 100.0F; })), 8.0 / 9, 1e-6);
  EXPECT_NEAR(sharpness(patch(32, [](auto x, auto) { return 3.0F * static_cast<float>(x); })), 0, 1e-6);
  EXPECT_EQ(sharpness(patch(32, [](auto, auto) { return 7.0F; })), 0);
  // The worse axis counts: an edge across and a slope down.
  EXPECT_NEAR(sharpness(patch(32, [](auto x, auto y) { return (x < 16 ? 0.0F : 100.0F) + static_cast<float>(y); })), 0, 1e-6);
  EXPECT_EQ(sharpness(patch(8, [](auto x, auto) { return x < 4 ? 0.0F : 100.0F; })), 0);  // too small to tell
}

// By hand: half 0, half 100 deviates by 50 from its mean; one of 31 neighbours differs, by 100.
TEST(Clarity, an_edge_is_clean_and_noise_is_not) {
  EXPECT_NEAR(cleanness(patch(32, [](auto x, auto) { return x < 16 ? 0.0F : 100.0F; })), 1 - 100.0 / 31 / 50 / std::sqrt(2.0), 1e-6);
  std::mt19937 random(5);
  std::normal_distribution<float> noise(128, 20);
  EXPECT_LT(cleanness(patch(256, [&](auto, auto) { return noise(random); })), 0.02);
}

TEST(Clarity, pictures_that_follow_each_other_are_steady_and_others_are_not) {
  std::mt19937 random(5);
  std::normal_distribution<float> noise(128, 20);
  const auto a = patch(256, [&](auto, auto) { return noise(random); }), b = patch(256, [&](auto, auto) { return noise(random); });
  EXPECT_NEAR(steadiness(a, a), 1, 1e-9);
  EXPECT_LT(steadiness(a, b), 0.02);
  EXPECT_EQ(steadiness(a, patch(32, [](auto, auto) { return 1.0F; })), 0);  // of another size
}

TEST(Clarity, a_film_is_clearer_than_what_blur_noise_and_flicker_make_of_it) {
  ScratchDir dir;
  const auto made = [&](const std::string& filter) {
    EXPECT_TRUE(
        ffmpeg(clip("london_roofs_360p_5s.mp4"), "-an -frames:v 48 -vf " + quoted(filter) + " -c:v libx264 -crf 12", dir / "a.mp4"));
    const auto seen = verify(dir / "a.mp4");
    EXPECT_TRUE(seen) << filter;
    return seen ? seen->clarity : -1;
  };
  const double plain = made("null");
  EXPECT_GT(plain, 0.1);
  EXPECT_LT(plain, 1);
  EXPECT_LT(made("gblur=sigma=4"), 0.8 * plain);
  EXPECT_LT(made("noise=alls=90:allf=t"), 0.8 * plain);
  EXPECT_LT(made("lutyuv=y=val/4,negate=enable='mod(n,2)'"), 0.8 * plain);
  EXPECT_EQ(made("drawbox=t=fill:color=gray"), 0);
}

}  // namespace
}  // namespace kinora::media
