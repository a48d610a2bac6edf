#include "kinora_train/trainer.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "kinora_train/checkpoint.hpp"
#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/test_pictures.hpp"
#include "media/image.hpp"
#include "nn/model_folder.hpp"

namespace kinora::train {
namespace {

class Trainer : public ::testing::Test {
 protected:
  Trainer() {
    at::set_num_threads(1);
    Random random(1);
    const Recipe recipe{.zoom = 0.8, .pan_x = 2};
    samples_.training = degrade(shot_of_photo(wavy_picture(480, 520), recipe, random), 2, recipe, random);
    samples_.photos = 1;
  }
  TrainSettings settings(const std::string& name, std::int64_t steps) {
    TrainSettings settings;
    settings.out = folder_ / name;
    settings.features = 8;
    settings.convolutions = 2;
    settings.batch = 2;
    settings.steps = steps;
    settings.warmup = 0.1;
    return settings;
  }
  const TestFolder folder_;
  SampleSet samples_;
  const Talk quiet_ = [](const std::string&) {};
};

TEST_F(Trainer, learns_and_leaves_a_loadable_model_with_its_card) {
  const TrainReport report = train_on(samples_, settings("kinora-test", 60), quiet_);
  ASSERT_EQ(report.losses.size(), 60U);
  const double first = std::accumulate(report.losses.begin(), report.losses.begin() + 5, 0.0);
  const double last = std::accumulate(report.losses.end() - 5, report.losses.end(), 0.0);
  EXPECT_LT(last, first * 0.8);

  const nn::ModelFolder model = nn::read_model_folder(folder_ / "kinora-test");
  EXPECT_EQ(model.architecture, "SRVGGNetCompact");
  EXPECT_EQ(model.card.scale, 2);
  EXPECT_EQ(model.card.rest.at("training").at("steps"), 60);
  const models::esrgan::SrvggConfig config{.num_feat = 8, .num_conv = 2, .upscale = 2};
  const auto weights = nn::load_weights(model, models::esrgan::srvgg_shapes(config));
  EXPECT_NEAR(mean_psnr(config, weights, samples_.training, Precision::fp32), report.best_psnr, 1e-6)
      << "the stored weights are the scored ones";
}

TEST_F(Trainer, a_resumed_run_has_the_same_loss_curve_as_one_that_never_stopped) {
  const TrainReport straight = train_on(samples_, settings("straight", 8), quiet_);
  // The schedule is over 8 updates in both halves, so the first half is stopped by an exception after 4.
  TrainSettings half = settings("halves", 8);
  half.save_every_s = 0;  // a checkpoint after every update
  int saves = 0;
  EXPECT_THROW(train_on(samples_, half,
                        [&](const std::string& text) {
                          if (text.find("PSNR") != std::string::npos && ++saves == 4) throw std::runtime_error("stopped");
                        }),
               std::runtime_error);
  half.resume = true;
  const TrainReport rest = train_on(samples_, half, quiet_);
  ASSERT_EQ(rest.losses.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(rest.losses[i], straight.losses[4 + i]) << i;
  EXPECT_EQ(rest.steps, 8);
}

TEST_F(Trainer, refuses_a_checkpoint_of_another_seed_or_network) {
  train_on(samples_, settings("a", 2), quiet_);
  TrainSettings other = settings("a", 4);
  other.resume = true;
  other.seed = 2;
  EXPECT_THROW(train_on(samples_, other, quiet_), Failure);
  other.seed = 1;
  other.features = 16;
  EXPECT_ANY_THROW(train_on(samples_, other, quiet_));
}

TEST_F(Trainer, starts_from_a_shallower_model_where_that_one_ended) {
  const TrainReport first = train_on(samples_, settings("shallow", 40), quiet_);
  TrainSettings deeper = settings("deeper", 1);
  deeper.convolutions = 3;
  deeper.start = folder_ / "shallow";
  deeper.peak_rate = deeper.last_rate = 0;
  EXPECT_NEAR(train_on(samples_, deeper, quiet_).best_psnr, first.best_psnr, 1e-3);
}

TEST_F(Trainer, wants_either_minutes_or_steps) {
  TrainSettings both = settings("b", 2);
  both.minutes = 1;
  EXPECT_THROW(train_on(samples_, both, quiet_), Failure);
  TrainSettings neither = settings("b", 2);
  neither.steps.reset();
  EXPECT_THROW(train_on(samples_, neither, quiet_), Failure);
}

TEST_F(Trainer, stops_after_the_minutes_given) {
  TrainSettings timed = settings("timed", 1);
  timed.steps.reset();
  timed.minutes = 0.01;
  const TrainReport report = train_on(samples_, timed, quiet_);
  EXPECT_GE(report.steps, 1);
}

TEST_F(Trainer, goes_from_files_to_a_model_and_says_what_it_skipped) {
  std::filesystem::create_directories(folder_ / "data");
  take(media::write_image((folder_ / "data/a.png").string(), frame_of(wavy_picture(400, 420), {}), media::ImageType::png));
  std::ofstream(folder_ / "data/broken.jpg") << "no picture";
  TrainSettings whole = settings("whole", 2);
  whole.data = {folder_ / "data"};
  whole.shots = 2;
  whole.scale = 4;
  whole.samples = folder_ / "samples";
  std::string said;
  const TrainReport report = train_upscaler(whole, [&](const std::string& text) { said += text + "\n"; });
  EXPECT_EQ(report.steps, 2);
  EXPECT_NE(said.find("broken.jpg"), std::string::npos) << said;
  EXPECT_NE(said.find("1 files skipped"), std::string::npos) << said;
  EXPECT_EQ(nn::read_model_folder(folder_ / "whole").card.scale, 4);
  whole.scale = 2;
  EXPECT_THROW(train_upscaler(whole, quiet_), Failure) << "prepared for another scale";
}

TEST(Checkpoint, gives_everything_back) {
  const TestFolder folder;
  const nn::TensorMap weights{{"body.0.weight", at::arange(6, at::kFloat).view({2, 3})}};
  save_checkpoint(folder / "deep/c",
                  {weights, weights, {{"first.body.0.weight", weights.at("body.0.weight")}}, 77, 12.3456789, 1234567890123456789ULL});
  const Checkpoint back = load_checkpoint(folder / "deep/c");
  EXPECT_TRUE(back.weights.at("body.0.weight").equal(weights.at("body.0.weight")));
  EXPECT_TRUE(back.average.contains("body.0.weight"));
  EXPECT_TRUE(back.adam.contains("first.body.0.weight"));
  EXPECT_EQ(back.step, 77);
  EXPECT_EQ(back.elapsed_s, 12.3456789);
  EXPECT_EQ(back.seed, 1234567890123456789ULL);
}

TEST(Checkpoint, refuses_files_that_are_none) {
  const TestFolder folder;
  std::ofstream(folder / "text") << "hello";
  EXPECT_ANY_THROW(load_checkpoint(folder / "text"));
  EXPECT_ANY_THROW(load_checkpoint(folder / "absent"));
}

}  // namespace
}  // namespace kinora::train
