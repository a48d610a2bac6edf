#include "kinora_train/interpolator/motion_set.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <fstream>

#include "kinora_train/error.hpp"
#include "kinora_train/interpolator/test_motion.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

double difference(const at::Tensor& a, const at::Tensor& b) { return (a.to(at::kFloat) - b.to(at::kFloat)).abs().mean().item<double>(); }

const std::filesystem::path kMedia = std::filesystem::path(KINORA_SOURCE_DIR) / "tests/media";

TEST(MotionSet, takes_moving_windows_of_a_clip_and_a_few_still_ones) {
  const auto runs = runs_of_clip(kMedia / "london_roofs_360p_5s.mp4", 12, 1);
  ASSERT_EQ(runs.size(), 12U);
  std::size_t moving = 0;
  for (const at::Tensor& run : runs) {
    EXPECT_EQ(run.sizes(), (at::IntArrayRef{kRunFrames, 3, kRunSide, kRunSide}));
    EXPECT_EQ(run.scalar_type(), at::kByte);
    moving += difference(run[0], run[kRunFrames - 1]) > 0.8 * kMoving ? 1 : 0;
    for (std::int64_t i = 1; i < kRunFrames; ++i) EXPECT_LT(difference(run[i - 1], run[i]), 1.2 * kTooMuch);
    // Neighbours are nearer to each other than the ends: the pictures are in order.
    EXPECT_LT(difference(run[0], run[1]), difference(run[0], run[kRunFrames - 1]) + 1);
  }
  EXPECT_GE(moving, 10U);
  const auto again = runs_of_clip(kMedia / "london_roofs_360p_5s.mp4", 12, 1);
  EXPECT_TRUE(at::equal(runs[7], again[7]));
}

TEST(MotionSet, a_clip_in_which_nothing_moves_or_that_is_too_small_gives_nothing_and_is_named) {
  TestFolder folder;
  ASSERT_TRUE(ffmpeg("-f lavfi -i color=gray:s=320x240:r=25:d=2 " + (folder / "grey.mp4").string()));
  ASSERT_TRUE(ffmpeg("-f lavfi -i testsrc2=s=96x96:r=25:d=2 " + (folder / "small.mp4").string()));
  for (const at::Tensor& run : runs_of_clip(folder / "grey.mp4", 12, 1)) EXPECT_LT(difference(run[0], run[4]), kMoving);
  EXPECT_TRUE(runs_of_clip(folder / "small.mp4", 12, 1).empty());
  std::ofstream(folder / "none.mp4") << "no clip";
  const MotionSet set = make_motion_set(find_sources({folder.path(), kMedia / "london_roofs_360p_5s.mp4", kMedia / "cat_chelsea.png"}, {}),
                                        12, 1, [](const std::string&) {});
  EXPECT_EQ(set.photo_files, 1U);
  EXPECT_EQ(set.photos.size(), 2U);  // whole and half as large
  EXPECT_EQ(set.photos[0].size(1), 300);
  ASSERT_EQ(set.skipped.size(), 2U);
  EXPECT_NE(set.skipped[0].find("none.mp4"), std::string::npos);
  EXPECT_NE(set.skipped[1].find("small.mp4: nothing moves"), std::string::npos);
  EXPECT_THROW(make_motion_set(find_sources({folder / "small.mp4"}, {}), 12, 1, [](const std::string&) {}), Failure);
}

TEST(MotionSet, comes_back_from_its_file_and_others_are_refused) {
  TestFolder folder;
  const MotionSet set = small_motion();
  save_motion_set(folder / "motion", set);
  const MotionSet back = load_motion_set(folder / "motion");
  EXPECT_TRUE(at::equal(back.training, set.training));
  EXPECT_TRUE(at::equal(back.held_out, set.held_out));
  ASSERT_EQ(back.photos.size(), 2U);
  EXPECT_TRUE(at::equal(back.photos[1], set.photos[1]));
  EXPECT_EQ(back.clip_files, 3U);
  const std::map<std::string, std::string> counts{{"photo_files", "1"}, {"clip_files", "1"}};
  nn::write_safetensors(folder / "shape", {{"training", at::zeros({2, 4, 3, kRunSide, kRunSide}, at::kByte)}}, counts);
  EXPECT_THROW(load_motion_set(folder / "shape"), Failure);
  nn::write_safetensors(folder / "photo", {{"photo.0", at::zeros({3, 20, 20}, at::kByte)}}, counts);
  EXPECT_THROW(load_motion_set(folder / "photo"), Failure);
  nn::write_safetensors(folder / "empty", {{"other", at::zeros({1})}}, counts);
  EXPECT_THROW(load_motion_set(folder / "empty"), Failure);
  nn::write_safetensors(folder / "counts", {{"training", set.training}}, {{"photo_files", "1"}, {"clip_files", "many"}});
  EXPECT_THROW(load_motion_set(folder / "counts"), Failure);
}

}  // namespace
}  // namespace kinora::train
