#include "kinora_train/interpolator/evaluate.hpp"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <fstream>

#include "kinora_train/error.hpp"
#include "kinora_train/interpolator/learning.hpp"
#include "kinora_train/leaves.hpp"
#include "kinora_train/test_pictures.hpp"
#include "nn/model_folder.hpp"

namespace kinora::train {
namespace {

void silent(const std::string&) {}

// A folder of the starter's network that knows no motion: the mean of both pictures.
std::filesystem::path blending_model(const TestFolder& folder) {
  nn::TensorMap weights = random_weights_of<models::rife::IfNet>(starter_ifnet(), 5);
  for (auto& [name, weight] : weights)
    if (name.find("lastconv") != std::string::npos) weight.zero_();
  nn::ModelCard card;
  card.name = card.license = "test";
  card.tasks = {"frame-interpolation"};
  nn::write_model_folder(folder / "model", "IFNet", nlohmann::json::object(), card, weights);
  return folder / "model";
}

// Brightness rises by 4 levels of luma a picture: repeating is 4 levels off, 10 log10(255^2 / 16) = 36.09 dB; the mean of both neighbours
// hits the truth, which counts as 100 dB; so does a network that takes the mean, but for rounding to RGB and back.
TEST(EvaluateInterpolator, gives_the_known_values_of_a_clip_that_brightens) {
  TestFolder folder;
  ASSERT_TRUE(ffmpeg("-f lavfi -i \"color=black:s=64x64:r=10:d=2,format=yuv420p,geq=lum='60+4*N':cb=128:cr=128\" -c:v ffv1 " +
                     (folder / "brighter.mkv").string()));
  InterpolationEvaluateSettings settings;
  settings.model = blending_model(folder);
  settings.clips = {folder / "brighter.mkv"};
  settings.frames = 4;
  const auto evaluation = evaluate_interpolator(settings, silent);
  ASSERT_EQ(evaluation.clips.size(), 1U);
  const InterpolatedClip& clip = evaluation.clips.front();
  EXPECT_EQ(clip.frames, 4);
  EXPECT_NEAR(clip.repeated.psnr_y, 36.09, 0.01);
  EXPECT_EQ(clip.blended.psnr_y, media::kMaxPsnr);
  EXPECT_GE(clip.model.psnr_y, 48);  // at most one level off
  EXPECT_NEAR(clip.blended.ssim_y, 1, 1e-6);
  EXPECT_FALSE(clip.still());
  EXPECT_NEAR(evaluation.mean_gain_over_repeat(), clip.model.psnr_y - 36.09, 0.01);
}

TEST(EvaluateInterpolator, means_are_over_clips_and_still_ones_count_unless_said) {
  InterpolationEvaluation evaluation;
  EXPECT_EQ(evaluation.mean_gain(), 0);
  evaluation.clips = {{.clip = "a", .frames = 3, .repeated = {.psnr_y = 25}, .blended = {.psnr_y = 27}, .model = {.psnr_y = 30}},
                      {.clip = "b", .frames = 3, .repeated = {.psnr_y = 41}, .blended = {.psnr_y = 44}, .model = {.psnr_y = 43}}};
  EXPECT_DOUBLE_EQ(evaluation.mean_gain(), 1);
  EXPECT_DOUBLE_EQ(evaluation.mean_gain_of_moving(), 3);
  EXPECT_DOUBLE_EQ(evaluation.mean_gain_over_repeat(), 3.5);
  EXPECT_DOUBLE_EQ(evaluation.least_gain(), -1);
  const std::string table = table_of(evaluation);
  EXPECT_NE(table.find("| a | 0x0 | 3 | 25.00 | 27.00 | 30.00 | +3.00 |"), std::string::npos) << table;
  EXPECT_NE(table.find("| b (still) |"), std::string::npos);
  EXPECT_NE(table.find("without still clips (repeating gives 40 dB and more): +3.00 dB"), std::string::npos) << table;
}

TEST(EvaluateInterpolator, skips_what_is_no_clip_draws_crops_and_keeps_the_table_in_the_card) {
  TestFolder folder;
  std::ofstream(folder / "none.mp4") << "no clip";
  InterpolationEvaluateSettings settings{
      .model = blending_model(folder),
      .clips = {folder / "none.mp4", std::filesystem::path(KINORA_SOURCE_DIR) / "tests/media/london_roofs_360p_5s.mp4",
                std::filesystem::path(KINORA_SOURCE_DIR) / "tests/media/cat_chelsea.png"},
      .frames = 2,
      .update_card = true,
      .crops = folder / "crops"};
  const auto evaluation = evaluate_interpolator(settings, silent);
  ASSERT_EQ(evaluation.clips.size(), 1U);
  EXPECT_EQ(evaluation.skipped.size(), 2U);
  EXPECT_NEAR(evaluation.clips[0].gain(), 0, 0.1);
  EXPECT_GT(std::filesystem::file_size(folder / "crops/london_roofs_360p_5s.png"), 10'000U);
  const auto metrics = nn::read_model_folder(settings.model).card.rest.at("metrics");
  EXPECT_NEAR(metrics.at("mean_gain_over_blend_db").get<double>(), evaluation.mean_gain(), 1e-3);
  EXPECT_EQ(metrics.at("clips").size(), 1U);
  settings.clips = {folder / "none.mp4"};
  EXPECT_THROW(evaluate_interpolator(settings, silent), Failure);
}

// As RIFE's weights come.
TEST(EvaluateInterpolator, takes_a_folder_that_holds_a_flownet) {
  TestFolder folder;
  InterpolationEvaluateSettings settings;
  settings.model = std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden/rife_46/model";
  ASSERT_TRUE(ffmpeg("-f lavfi -i testsrc2=s=64x64:r=10:d=1 -c:v ffv1 " + (folder / "moving.mkv").string()));
  settings.clips = {folder / "moving.mkv"};
  settings.frames = 2;
  const auto of_folder = evaluate_interpolator(settings, silent);
  settings.model /= "flownet.pkl";
  const auto of_file = evaluate_interpolator(settings, silent);
  ASSERT_EQ(of_folder.clips.size(), 1U);
  EXPECT_EQ(of_folder.clips[0].model.psnr_y, of_file.clips[0].model.psnr_y);
  settings.model = settings.model.parent_path();
  settings.update_card = true;
  EXPECT_THROW(evaluate_interpolator(settings, silent), Failure);
}

}  // namespace
}  // namespace kinora::train
