#include "runner/step_order.hpp"

#include <gtest/gtest.h>

namespace kinora::runner {
namespace {

// Weights of RealESRGAN_x4plus and of a light SRVGGNetCompact. An interpolated pixel counts as 5 x 20 702 = 104 k.
constexpr double kHeavy = 16'697'987, kLight = 20'000;

// Doubling the rate at 4x, by hand: first 16.7 M + 16 x 104 k = 18.4 M; last 2 x 16.7 M + 104 k = 33.5 M.
TEST(CheaperFirst, runs_a_heavy_upscaler_before_there_are_more_pictures) {
  EXPECT_EQ(cheaper_first({.upscaler_weights = kHeavy, .scale = 4, .factor = 2}), Op::upscale);
}

// At 2x: first 20 k + 4 x 104 k = 434 k; last 40 k + 104 k = 144 k.
TEST(CheaperFirst, interpolates_small_pictures_before_a_light_upscaler) {
  EXPECT_EQ(cheaper_first({.upscaler_weights = kLight, .scale = 2, .factor = 2}), Op::interpolate);
  EXPECT_EQ(cheaper_first({.upscaler_weights = kLight, .scale = 2, .factor = 16}), Op::interpolate);
}

TEST(CheaperFirst, upscales_first_when_nothing_becomes_larger) {
  EXPECT_EQ(cheaper_first({.upscaler_weights = kLight, .scale = 1, .factor = 2}), Op::upscale);
}

}  // namespace
}  // namespace kinora::runner
