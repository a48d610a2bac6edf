// The interpolator that the repository ships does what its card says.
#include <gtest/gtest.h>

#include "kinora_train/interpolator/evaluate.hpp"
#include "nn/model_folder.hpp"

namespace kinora::train {
namespace {

const std::filesystem::path kModel = std::filesystem::path(KINORA_SOURCE_DIR) / "weights/kinora-interpolator";

TEST(ShippedInterpolator, has_a_complete_card_and_stays_small) {
  const nn::ModelFolder model = nn::read_model_folder(kModel);
  EXPECT_EQ(model.architecture, "IFNet");
  EXPECT_EQ(model.card.tasks, std::vector<std::string>{"frame-interpolation"});
  EXPECT_LE(model.weights_bytes, 3'000'000U);
  EXPECT_FALSE(model.card.license.empty());
  for (const char* part : {"data", "training", "metrics"}) EXPECT_TRUE(model.card.rest.contains(part)) << part;
  EXPECT_GE(model.card.rest.at("metrics").at("mean_gain_over_repeat_db"), model.card.rest.at("metrics").at("mean_gain_over_blend_db"));
  for (const char* file : {"README.md", "training-data.txt"}) EXPECT_TRUE(std::filesystem::exists(kModel / file)) << file;
}

// The clip was not trained on; these pictures are a row of the card.
TEST(ShippedInterpolator, beats_blending_and_repeating_on_a_clip_in_which_the_camera_moves) {
  InterpolationEvaluateSettings settings;
  settings.model = kModel;
  settings.clips = {std::filesystem::path(KINORA_SOURCE_DIR) / "tests/media/london_roofs_360p_5s.mp4"};
  settings.frames = 24;
  const auto evaluation = evaluate_interpolator(settings, [](const std::string&) {});
  ASSERT_EQ(evaluation.clips.size(), 1U);
  const InterpolatedClip& clip = evaluation.clips.front();
  EXPECT_GE(clip.gain(), 1.0);
  EXPECT_GT(clip.model.psnr_y, clip.repeated.psnr_y + 1.5);
  EXPECT_GT(clip.model.ssim_y, clip.blended.ssim_y);
}

}  // namespace
}  // namespace kinora::train
