// The weights that the repository ships do what their cards say.
#include <gtest/gtest.h>

#include "kinora_train/evaluate.hpp"
#include "nn/model_folder.hpp"

namespace kinora::train {
namespace {

const std::filesystem::path kRoot = KINORA_SOURCE_DIR;

struct Shipped {
  const char* id;
  int scale;
  double gain_db;  // over Lanczos, of the detailed clip
};
void PrintTo(const Shipped& shipped, std::ostream* out) { *out << shipped.id; }

class ShippedWeights : public ::testing::TestWithParam<Shipped> {};

TEST_P(ShippedWeights, have_a_complete_card_and_stay_small) {
  const auto folder = kRoot / "weights" / GetParam().id;
  const nn::ModelFolder model = nn::read_model_folder(folder);
  EXPECT_EQ(model.id, GetParam().id);
  EXPECT_EQ(model.architecture, "SRVGGNetCompact");
  EXPECT_EQ(model.card.scale, GetParam().scale);
  EXPECT_LE(model.weights_bytes, 2U << 20);
  EXPECT_FALSE(model.card.license.empty());
  for (const char* part : {"data", "training", "metrics"}) EXPECT_TRUE(model.card.rest.contains(part)) << part;
  EXPECT_GE(model.card.rest.at("metrics").at("least_gain_db").get<double>(), -0.1);
  EXPECT_TRUE(std::filesystem::exists(folder / "README.md"));
}

// The clip and the photo were not trained on. Few pictures, so that the test is quick; the card has the long table.
TEST_P(ShippedWeights, beat_lanczos_on_a_detailed_clip_and_do_not_lose_on_a_grainy_photo) {
  EvaluateSettings settings;
  settings.model = kRoot / "weights" / GetParam().id;
  settings.clips = {kRoot / "tests/media/london_roofs_360p_5s.mp4", kRoot / "tests/media/cat_chelsea.png"};
  settings.frames = 8;
  settings.precision = "fp32";
  const Evaluation evaluation = evaluate_upscaler(settings, [](const std::string&) {});
  ASSERT_EQ(evaluation.scores.size(), 2U);
  for (const ClipScore& score : evaluation.scores) {
    if (score.clip == "cat_chelsea") {
      EXPECT_GE(score.gain(), -0.1);
    } else {
      EXPECT_GE(score.gain(), GetParam().gain_db);
      EXPECT_GT(score.model_ssim, score.lanczos_ssim);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ShippedWeights, ::testing::Values(Shipped{"kinora-sr2x", 2, 0.9}, Shipped{"kinora-sr4x", 4, 0.5}));

}  // namespace
}  // namespace kinora::train
