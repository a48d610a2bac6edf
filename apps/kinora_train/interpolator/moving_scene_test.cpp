#include "kinora_train/interpolator/moving_scene.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kinora_train/test_pictures.hpp"
#include "models/rife/warp.hpp"

namespace kinora::train {
namespace {

float value(const at::Tensor& flow, int channel, std::int64_t y, std::int64_t x) { return flow[channel][y][x].item<float>(); }

at::Tensor plain(int level) { return at::full({3, 100, 120}, level, at::kByte); }

TEST(MovingScene, the_flow_of_a_shift_is_its_part_of_the_time) {
  // The view goes 8 right and 4 up: what it shows goes left and down. At 0.25 a point has gone a quarter of (-8, 4).
  const MovingScene scene{{{wavy_picture(100, 120), {.x = 60, .y = 50, .step = 0.7, .shift_x = 8, .shift_y = -4}, {}}}};
  const at::Tensor flow = flow_at(scene, 0.25, 32);
  for (const std::int64_t y : {0, 13, 31}) {
    EXPECT_NEAR(value(flow, 0, y, 5), 2, 1e-4);
    EXPECT_NEAR(value(flow, 1, y, 5), -1, 1e-4);
    EXPECT_NEAR(value(flow, 2, y, 5), -6, 1e-4);
    EXPECT_NEAR(value(flow, 3, y, 5), 3, 1e-4);
  }
}

TEST(MovingScene, the_flow_of_a_turn_and_a_zoom_grows_from_the_centre) {
  // From time 0.5 to 1 the view turns by 0.1: the picture by -0.1. Pixel (32, 16) of 33 lies 16 right of the centre and goes to
  // 16 (cos 0.1, -sin 0.1).
  const MovingScene turning{{{wavy_picture(100, 120), {.x = 60, .y = 50, .turn = 0.2}, {}}}};
  const at::Tensor turned = flow_at(turning, 0.5, 33);
  EXPECT_NEAR(value(turned, 2, 16, 32), 16 * (std::cos(0.1) - 1), 1e-4);
  EXPECT_NEAR(value(turned, 3, 16, 32), -16 * std::sin(0.1), 1e-4);
  EXPECT_NEAR(value(turned, 1, 16, 32), 16 * std::sin(0.1), 1e-4);
  EXPECT_NEAR(value(turned, 0, 16, 16), 0, 1e-4);
  // A step that grows by e^0.2 shows things smaller by as much: from 0.5 to 1 by e^-0.1.
  const MovingScene zooming{{{wavy_picture(100, 120), {.x = 60, .y = 50, .zoom = 0.2}, {}}}};
  const at::Tensor zoomed = flow_at(zooming, 0.5, 33);
  EXPECT_NEAR(value(zoomed, 2, 16, 32), 16 * (std::exp(-0.1) - 1), 1e-4);
  EXPECT_NEAR(value(zoomed, 0, 16, 32), 16 * (std::exp(0.1) - 1), 1e-4);
}

TEST(MovingScene, pictures_before_and_after_warped_along_the_flow_are_the_picture_between) {
  const MovingScene scene{{{wavy_picture(200, 220), {.x = 110, .y = 100, .shift_x = 9, .shift_y = 5, .turn = 0.08, .zoom = -0.06}, {}}}};
  const at::Tensor truth = picture_at(scene, 0.3, 64), flow = flow_at(scene, 0.3, 64).unsqueeze(0);
  for (const int end : {0, 1}) {
    const at::Tensor warped = models::rife::warp(picture_at(scene, end, 64).unsqueeze(0), flow.slice(1, 2 * end, 2 * end + 2)).squeeze(0);
    const at::Tensor off = (warped - truth).abs().slice(1, 12, 52).slice(2, 12, 52);
    EXPECT_LT(off.mean().item<float>(), 0.6) << end;  // levels: twice bilinear
  }
  EXPECT_GT((picture_at(scene, 0, 64) - truth).abs().mean().item<float>(), 5);
}

TEST(MovingScene, a_layer_covers_what_its_outline_covers_and_takes_it_along) {
  // A rectangle of 20 x 10 around the photo's (60, 50), which the view goes over by 10 to the right from time 0 to 1.
  const MovingScene scene{
      {{plain(10), {.x = 60, .y = 50}, {}},
       {plain(200), {.x = 60, .y = 50, .shift_x = 10}, {{.round = false, .x = 60, .y = 50, .half_width = 10, .half_height = 5}}}}};
  const auto across = [&](double time) {  // of the middle row
    const at::Tensor row = picture_at(scene, time, 65)[0][32];
    return std::pair{row.gt(100).nonzero().min().item<std::int64_t>(), row.gt(100).nonzero().max().item<std::int64_t>()};
  };
  EXPECT_EQ(across(0.5), (std::pair<std::int64_t, std::int64_t>{22, 42}));
  EXPECT_EQ(across(0), (std::pair<std::int64_t, std::int64_t>{27, 47}));
  EXPECT_EQ(across(1), (std::pair<std::int64_t, std::int64_t>{17, 37}));
  const at::Tensor flow = flow_at(scene, 0.5, 65);
  EXPECT_NEAR(value(flow, 0, 32, 32), 5, 1e-4);
  EXPECT_NEAR(value(flow, 2, 32, 32), -5, 1e-4);
  EXPECT_EQ(value(flow, 0, 32, 10), 0);
  EXPECT_EQ(value(flow, 0, 20, 32), 0);
}

TEST(MovingScene, an_ellipse_is_round_and_turned_by_its_angle) {
  const MovingScene scene{{{plain(0), {.x = 60, .y = 50}, {}},
                           {plain(250), {.x = 60, .y = 50}, {{.x = 60, .y = 50, .half_width = 20, .half_height = 5, .angle = M_PI / 2}}}}};
  const at::Tensor picture = picture_at(scene, 0.5, 65)[0];
  EXPECT_GT(picture[32 + 18][32].item<float>(), 200);  // long axis: down
  EXPECT_LT(picture[32][32 + 7].item<float>(), 50);
  EXPECT_LT(picture[32 + 16][32 + 4].item<float>(), 50);  // no corner
}

TEST(MovingScene, drawn_scenes_are_those_of_their_seed_and_stay_within_the_limits) {
  const std::vector<at::Tensor> photos{wavy_picture(300, 400), wavy_picture(260, 300)};
  bool layered = false;
  int still = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random one(seed), two(seed);
    const MovingScene scene = draw_scene(photos, 64, one);
    EXPECT_TRUE(at::allclose(picture_at(scene, 0.4, 64), picture_at(draw_scene(photos, 64, two), 0.4, 64), 0, 0));
    layered |= scene.layers.size() > 1;
    EXPECT_TRUE(scene.layers.front().outlines.empty());
    EXPECT_LE(std::hypot(scene.layers.front().path.shift_x, scene.layers.front().path.shift_y), kLargestShift);
    EXPECT_LE(std::abs(scene.layers.front().path.turn), kLargestTurn);
    const at::Tensor flow = flow_at({{scene.layers.front()}}, 0.5, 64);
    still += flow.abs().max().item<float>() < 1e-3 ? 1 : 0;
  }
  EXPECT_TRUE(layered);
  EXPECT_GT(still, 0);
  EXPECT_LT(still, 10);
}

}  // namespace
}  // namespace kinora::train
