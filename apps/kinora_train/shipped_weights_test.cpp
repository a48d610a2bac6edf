// The weights that the repository ships do what their card says.
#include <gtest/gtest.h>

#include "kinora_train/evaluate.hpp"
#include "nn/model_folder.hpp"

namespace kinora::train {
namespace {

const std::filesystem::path kModel = std::filesystem::path(KINORA_SOURCE_DIR) / "weights/kinora-sr2x";

TEST(ShippedWeights, have_a_complete_card_and_stay_small) {
  const nn::ModelFolder model = nn::read_model_folder(kModel);
  EXPECT_EQ(model.id, "kinora-sr2x");
  EXPECT_EQ(model.architecture, "SRVGGNetCompact");
  EXPECT_EQ(model.card.scale, 2);
  EXPECT_LE(model.weights_bytes, 2U << 20);
  EXPECT_FALSE(model.card.license.empty());
  for (const char* part : {"data", "training", "metrics"}) EXPECT_TRUE(model.card.rest.contains(part)) << part;
  EXPECT_GE(model.card.rest.at("metrics").at("least_gain_db").get<double>(), -0.1);
  EXPECT_TRUE(std::filesystem::exists(kModel / "README.md"));
}

// The clip and the photo were not trained on. Few pictures, so that the test is quick; the card has the long table.
TEST(ShippedWeights, beat_lanczos_on_a_detailed_clip_and_do_not_lose_on_a_noisy_photo) {
  EvaluateSettings settings;
  settings.model = kModel;
  settings.clips = {std::filesystem::path(KINORA_SOURCE_DIR) / "tests/media/london_roofs_360p_5s.mp4",
                    std::filesystem::path(KINORA_SOURCE_DIR) / "tests/media/cat_chelsea.png"};
  settings.frames = 8;
  settings.precision = "fp32";
  const Evaluation evaluation = evaluate_upscaler(settings, [](const std::string&) {});
  ASSERT_EQ(evaluation.scores.size(), 2U);
  for (const ClipScore& score : evaluation.scores) {
    if (score.clip == "cat_chelsea") {
      EXPECT_GE(score.gain(), -0.1);
    } else {
      EXPECT_GE(score.gain(), 0.9);
      EXPECT_GT(score.model_ssim, score.lanczos_ssim);
    }
  }
}

}  // namespace
}  // namespace kinora::train
