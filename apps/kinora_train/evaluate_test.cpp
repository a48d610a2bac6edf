#include "kinora_train/evaluate.hpp"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "kinora_train/error.hpp"
#include "kinora_train/test_pictures.hpp"
#include "models/esrgan/srvgg.hpp"
#include "nn/model_folder.hpp"

namespace kinora::train {
namespace {

class Evaluate : public ::testing::Test {
 protected:
  // All weights 0: nearest-neighbour enlargement, which is worse than Lanczos.
  std::filesystem::path nearest(std::int64_t scale) const {
    const auto path = folder_ / (scale == 2 ? "nearest" : "nearest-" + std::to_string(scale));
    const models::esrgan::SrvggConfig config{.num_feat = 8, .num_conv = 1, .upscale = scale};
    nn::TensorMap weights;
    for (const auto& [name, shape] : models::esrgan::srvgg_shapes(config)) weights[name] = at::zeros(shape, at::kFloat);
    nn::ModelCard card;
    card.name = "nearest";
    card.tasks = {"video-upscale"};
    card.scale = scale;
    card.license = "CC0-1.0";
    nn::write_model_folder(
        path, "SRVGGNetCompact",
        {{"num_in_ch", 3}, {"num_out_ch", 3}, {"num_feat", 8}, {"num_conv", 1}, {"upscale", scale}, {"act_type", "prelu"}}, card, weights);
    return path;
  }
  Evaluate() {
    std::filesystem::create_directories(folder_ / "clips");
    settings_.model = nearest(2);
    settings_.clips = {folder_ / "clips"};
    settings_.frames = 6;
    settings_.precision = "fp32";
  }
  std::string clip(const std::string& name) const { return (folder_ / ("clips/" + name)).string(); }
  Evaluation evaluate() {
    return evaluate_upscaler(settings_, [](const std::string&) {});
  }
  // What ffmpeg's own psnr filter prints for a file against a reference of the same pictures.
  double ffmpeg_psnr_y(const std::string& distorted, const std::string& filter, const std::string& reference) {
    const std::string log = (folder_ / "psnr.log").string();
    const std::string graph = "[0:v]" + filter + "[a];[a][1:v]psnr=stats_file=" + log;
    if (!ffmpeg("-i " + distorted + " -i " + reference + " -lavfi \"" + graph + "\" -f null -")) return 0;
    std::ifstream in(log);
    std::stringstream all;
    all << in.rdbuf();
    const std::string text = all.str();
    double sum = 0;
    int count = 0;
    const std::regex field("psnr_y:([0-9.]+)");
    for (std::sregex_iterator it(text.begin(), text.end(), field), end; it != end; ++it) sum += std::stod((*it)[1]), ++count;
    return count == 0 ? 0 : sum / count;
  }

  const TestFolder folder_;
  EvaluateSettings settings_;
};

// The peer is the ffmpeg command, doing every step of the baseline itself.
TEST_F(Evaluate, its_lanczos_column_is_what_the_ffmpeg_commands_give) {
  // Six pictures from a third of 9 on: the last six.
  ASSERT_TRUE(ffmpeg("-f lavfi -i testsrc2=s=160x128:r=25 -frames:v 9 -vf gblur=sigma=2 -c:v ffv1 " + clip("a.mkv")));
  ASSERT_TRUE(ffmpeg("-i " + clip("a.mkv") + " -vf trim=start_frame=3,setpts=N/25/TB -c:v ffv1 " + (folder_ / "six.mkv").string()));
  ASSERT_TRUE(ffmpeg("-i " + (folder_ / "six.mkv").string() +
                     " -vf scale=80:64:flags=bicubic+accurate_rnd+full_chroma_int -c:v libx264 -preset medium -crf 23 -threads 1 " +
                     (folder_ / "low.mp4").string()));
  const double expected = ffmpeg_psnr_y((folder_ / "low.mp4").string(), "scale=160:128:flags=lanczos+accurate_rnd+full_chroma_int",
                                        (folder_ / "six.mkv").string());
  ASSERT_GT(expected, 15);
  const Evaluation evaluation = evaluate();
  ASSERT_EQ(evaluation.scores.size(), 1U);
  EXPECT_EQ(evaluation.scores[0].frames, 6);
  EXPECT_NEAR(evaluation.scores[0].lanczos_psnr, expected, 0.02);
  EXPECT_LT(evaluation.scores[0].gain(), -0.3) << "nearest neighbour is worse on a soft picture";
}

TEST_F(Evaluate, prints_rows_variants_and_summary_and_fills_the_card) {
  ASSERT_TRUE(ffmpeg("-f lavfi -i testsrc2=s=98x67:r=25 -frames:v 6 -pix_fmt yuv444p -c:v ffv1 " + clip("odd.mkv")));
  ASSERT_TRUE(ffmpeg("-f lavfi -i testsrc2=s=160x128:r=25 -frames:v 1 " + clip("still.png")));
  std::ofstream(clip("broken.mp4")) << "no clip";
  settings_.variants = true;
  settings_.update_card = true;
  settings_.crops = folder_ / "crops";
  const Evaluation evaluation = evaluate();
  ASSERT_EQ(evaluation.scores.size(), 6U);
  EXPECT_EQ(evaluation.scores[0].width, 96);
  EXPECT_EQ(evaluation.scores[0].height, 64);
  EXPECT_EQ(evaluation.scores[1].variant, "soft");
  EXPECT_LT(evaluation.scores[1].detail, evaluation.scores[0].detail);
  EXPECT_LT(evaluation.scores[1].lanczos_psnr, evaluation.scores[0].lanczos_psnr) << "compared with the clip as it is";
  EXPECT_LT(evaluation.scores[2].lanczos_psnr, evaluation.scores[0].lanczos_psnr);
  EXPECT_GT(evaluation.scores[2].detail, evaluation.scores[0].detail) << "noisy";
  ASSERT_EQ(evaluation.skipped.size(), 1U);
  EXPECT_NE(evaluation.skipped[0].find("broken.mp4"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "crops/still.png"));

  const std::string table = table_of(evaluation);
  EXPECT_NE(table.find("| odd, soft | 96x64 |"), std::string::npos) << table;
  EXPECT_NE(table.find("Least gain of all rows: "), std::string::npos) << table;
  const nn::ModelFolder model = nn::read_model_folder(settings_.model);
  EXPECT_EQ(model.card.name, "nearest");
  EXPECT_EQ(model.card.rest.at("metrics").at("clips").size(), 6U);
}

TEST_F(Evaluate, compares_with_another_model_at_another_scale) {
  ASSERT_TRUE(ffmpeg("-f lavfi -i testsrc2=s=160x128:r=25 -frames:v 6 -vf gblur=sigma=3 -c:v ffv1 " + clip("a.mkv")));
  EXPECT_FALSE(evaluate().mean_lead());
  settings_.against = settings_.model;
  const Evaluation same = evaluate();
  EXPECT_EQ(same.mean_lead(), 0);
  EXPECT_NE(table_of(same).find("lead dB"), std::string::npos);
  // A model of 2x followed by bicubic beats 4x of nothing but repeated pixels.
  settings_.model = nearest(4);
  const Evaluation larger = evaluate();
  EXPECT_LT(larger.scores[0].lanczos_psnr, same.scores[0].lanczos_psnr) << "shrunk 4x";
  ASSERT_TRUE(larger.mean_lead());
  EXPECT_LT(*larger.mean_lead(), -0.1);
  settings_.scale = 2;
  EXPECT_EQ(evaluate().scores[0].lanczos_psnr, same.scores[0].lanczos_psnr);
}

TEST_F(Evaluate, summarises_by_hand_computed_numbers) {
  Evaluation evaluation;
  const auto add = [&](const char* variant, int frames, double detail, double gain) {
    ClipScore score;
    score.variant = variant;
    score.frames = frames;
    score.detail = detail;
    score.lanczos_psnr = 30;
    score.model_psnr = 30 + gain;
    evaluation.scores.push_back(score);
  };
  add("", 9, 5, 1.5);
  add("", 9, 4, 0.5);
  add("", 9, 1, -0.05);
  add("noisy", 9, 9, 0.1);
  add("", 1, 8, 0.7);
  EXPECT_NEAR(evaluation.mean_gain_detailed(), 1.0, 1e-12);
  EXPECT_NEAR(evaluation.mean_gain_clips(), 0.65, 1e-12);
  EXPECT_NEAR(evaluation.mean_gain_stills(), 0.7, 1e-12);
  EXPECT_NEAR(evaluation.least_gain(), -0.05, 1e-12);
  EXPECT_EQ(Evaluation{}.mean_gain_detailed(), 0);
}

TEST_F(Evaluate, refuses_no_clips_no_model_and_an_unknown_precision) {
  EXPECT_THROW(evaluate(), Failure) << "no clip";
  settings_.precision = "fp8";
  EXPECT_THROW(evaluate(), Failure);
  settings_.model = folder_ / "absent";
  EXPECT_ANY_THROW(evaluate());
}

}  // namespace
}  // namespace kinora::train
