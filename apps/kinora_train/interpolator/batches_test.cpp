#include "kinora_train/interpolator/batches.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <map>

#include "kinora_train/interpolator/test_motion.hpp"
#include "models/rife/warp.hpp"

namespace kinora::train {
namespace {

TEST(MotionBatches, of_a_step_are_the_same_again_and_others_of_another) {
  const MotionSet set = small_motion();
  const BatchSize size{.pictures = 4, .side = 64, .moved_photos = 0.5};
  const auto one = draw_motion_batch(set, size, 3, 17), two = draw_motion_batch(set, size, 3, 17);
  EXPECT_TRUE(at::equal(one.truth, two.truth));
  EXPECT_TRUE(at::equal(one.flow, two.flow));
  EXPECT_EQ(one.time, two.time);
  EXPECT_FALSE(at::equal(one.truth, draw_motion_batch(set, size, 3, 18).truth));
  EXPECT_FALSE(at::equal(one.truth, draw_motion_batch(set, size, 4, 17).truth));
  EXPECT_EQ(one.first.sizes(), (at::IntArrayRef{4, 3, 64, 64}));
  EXPECT_EQ(one.flow.sizes(), (at::IntArrayRef{2, 4, 64, 64}));
  EXPECT_GE(one.first.min().item<float>(), -0.1F);  // noise may leave the range a little
  EXPECT_LE(one.first.max().item<float>(), 1.1F);
}

TEST(MotionBatches, show_several_times_most_often_the_middle) {
  const MotionSet set = small_motion();
  std::map<double, int> times;
  for (std::uint64_t step = 0; step < 100; ++step) ++times[draw_motion_batch(set, {.pictures = 1, .side = 32}, 1, step).time];
  EXPECT_EQ(times.size(), 5U);
  EXPECT_GT(times[0.5], 40);
  EXPECT_LT(times[0.5], 80);
}

// The waves move by the same step from picture to picture, so the truth at time t lies t of the way: first and last moved there agree with
// it. Whichever way the run is mirrored, turned or reversed, one of the eight directions fits.
TEST(MotionBatches, of_runs_hold_the_truth_at_its_time_between_first_and_last) {
  MotionSet set = small_motion();
  set.training = panned_run(3, 0).unsqueeze(0);
  for (std::uint64_t step = 0; step < 12; ++step) {
    const auto batch = draw_motion_batch(set, {.pictures = 1, .side = 96, .moved_photos = 0}, 1, step);
    EXPECT_FALSE(batch.flow.defined());
    double nearest = 1;
    for (const double pixels : {2.0, 3.0, 4.0})  // pictures between first and last, 3 pixels each
      for (const int direction : {-3, 3})
        for (const int axis : {0, 1}) {
          at::Tensor flow = at::zeros({1, 2, 96, 96});
          flow.select(1, axis).fill_(direction * pixels * batch.time);
          const at::Tensor off = (models::rife::warp(batch.first, flow) - batch.truth).abs().slice(2, 16, 80).slice(3, 16, 80);
          nearest = std::min(nearest, off.mean().item<double>());
        }
    EXPECT_LT(nearest, 0.006) << step;
  }
}

TEST(MotionBatches, without_clips_are_of_photos_and_without_photos_of_clips) {
  MotionSet photos = small_motion(), clips = small_motion();
  photos.training = at::Tensor();
  clips.photos.clear();
  const BatchSize size{.pictures = 4, .side = 32, .moved_photos = 0.5};
  EXPECT_EQ(draw_motion_batch(photos, size, 1, 1).flow.size(0), 4);
  EXPECT_FALSE(draw_motion_batch(clips, size, 1, 1).flow.defined());
}

TEST(MotionBatches, the_score_looks_at_the_middle_of_a_run_from_one_and_from_two_pictures_away) {
  const at::Tensor run = panned_run(1, 2);
  for (const std::int64_t span : {1, 2}) {
    const auto pair = middle_of_run(run.unsqueeze(0), 0, span);
    EXPECT_TRUE(at::allclose(pair.truth[0] * 255, run[2].to(at::kFloat), 0, 1e-3));
    EXPECT_TRUE(at::allclose(pair.first[0] * 255, run[2 - span].to(at::kFloat), 0, 1e-3));
    EXPECT_TRUE(at::allclose(pair.last[0] * 255, run[2 + span].to(at::kFloat), 0, 1e-3));
  }
}

}  // namespace
}  // namespace kinora::train
