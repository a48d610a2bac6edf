// The whole way in miniature: VAE, latents, transformer, folder; a few updates, so nothing is learnt.
#include "kinora_train/video/starter_training.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "kinora_train/error.hpp"
#include "kinora_train/test_pictures.hpp"
#include "kinora_train/video/clip_tensor.hpp"
#include "kinora_train/video/flow_training.hpp"
#include "kinora_train/video/starter_folder.hpp"
#include "kinora_train/video/vae_training.hpp"
#include "models/pipeline.hpp"
#include "models/wan/transformer.hpp"

namespace kinora::train {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class StarterTraining : public ::testing::Test {
 protected:
  StarterTraining() { at::set_num_threads(1); }
  StarterSettings settings(const std::string& name) const {
    StarterSettings settings;
    settings.out = folder_ / name;
    settings.steps = 4;
    settings.vae_share = settings.decoder_share = 0.25;
    settings.clips = 4;
    settings.batch = 2;
    settings.judged = 0;
    return settings;
  }
  const TestFolder folder_;
  const Talk quiet_ = [](const std::string&) {};
};

TEST_F(StarterTraining, leaves_a_small_folder_that_the_pipeline_loads_also_when_it_was_stopped_between) {
  train_starter(settings("whole"), quiet_);
  auto cut = settings("cut");
  EXPECT_THROW(train_starter(cut,
                             [](const std::string& said) {
                               if (said.starts_with("the VAE")) throw Failure("stopped");
                             }),
               Failure);
  EXPECT_FALSE(fs::exists(cut.out / "model_index.json"));
  cut.resume = true;
  train_starter(cut, quiet_);

  std::uintmax_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "whole")) {
    if (!entry.is_regular_file()) continue;
    size += entry.file_size();
    EXPECT_EQ(bytes_of(entry.path()), bytes_of(cut.out / fs::relative(entry.path(), folder_ / "whole"))) << entry.path();
  }
  EXPECT_LT(size, 8'000'000U);

  const auto pipeline = models::load_pipeline(folder_ / "whole");
  EXPECT_EQ(pipeline->info().family, "wan");
  EXPECT_THAT(pipeline->info().tasks, ::testing::ElementsAre(models::Task::text_to_video));
  const auto video =
      pipeline->run({.task = models::Task::text_to_video, .prompts = {"a red ball moves left over a blue sky"}, .seeds = {3}, .steps = 1});
  EXPECT_EQ(video.pictures.size(), 17U);
  EXPECT_EQ(video.pictures.front().width, 128);
  EXPECT_EQ(video.pictures.front().height, 128);
  EXPECT_EQ(video.fps, 16);
}

TEST_F(StarterTraining, a_clip_comes_back_from_its_tensor) {
  Random random(3);
  const Clip clip = render(draw_scene({Shape::star, Colour::yellow, Direction::up, Background::night}, random));
  const Clip back = clip_of(clip_tensor(clip));
  EXPECT_EQ(back.frames, clip.frames);
  EXPECT_EQ(back.width, clip.width);
  EXPECT_EQ(back.pixels, clip.pixels);
  const Clip beyond = clip_of(at::full({3, 1, 1, 2}, 7.0));
  EXPECT_EQ(beyond.pixels, std::vector<std::uint8_t>(6, 255));
}

// A VAE that has learnt nothing keeps nothing that the checker could read.
TEST_F(StarterTraining, what_a_vae_keeps_is_told_by_the_checker) {
  const StarterConfig config(100);
  const auto vae = ready_vae(config.vae_config(), random_weights_of<models::wan::Vae>(config.vae_config(), 1), at::kFloat);
  const Kept kept = kept_by(*vae, 2);
  EXPECT_EQ(kept.read.clips, 2);
  EXPECT_EQ(kept.read.all, 0);
  EXPECT_LT(kept.psnr_db, 20);
  EXPECT_THAT(describe(kept), ::testing::HasSubstr("all 0 of 2"));
}

TEST_F(StarterTraining, latents_of_other_settings_are_refused) {
  const Latents latents{.values = at::full({3, 2, 1, 1, 1}, 0.5, at::kBFloat16), .shown = {}, .mean = {0, 1}, .deviation = {1, 2}};
  save_latents(folder_ / "latents", latents, 7);
  const auto back = load_latents(folder_ / "latents", 3, 7);
  EXPECT_EQ(back.shown.size(), 3U);
  EXPECT_EQ(back.deviation, latents.deviation);
  for (const auto& shown : back.shown) EXPECT_FALSE(held_out(shown));
  EXPECT_THROW(load_latents(folder_ / "latents", 4, 7), Failure);
  EXPECT_THROW(load_latents(folder_ / "latents", 3, 8), Failure);
}

// In training captions of several lengths go together; in use there is one, filled up to kPromptTokens.
TEST_F(StarterTraining, a_caption_means_the_same_in_a_batch_and_alone) {
  const at::NoGradGuard no_grad;
  write_tokenizer(folder_ / "tokenizer");
  const auto tokenizer = nn::UnigramTokenizer::open(folder_ / "tokenizer");
  const StarterConfig config(tokenizer.largest_id() + 1);
  auto weights = random_weights_of<models::wan::Transformer>(config.transformer_config(), 1);
  weights.at("proj_out.weight").normal_();
  Leaves leaves;
  const auto transformer = leaves.build<models::wan::Transformer>("transformer", config.transformer_config(), weights, {});
  const auto rows = token_rows(tokenizer, {"a red ball moves left over a blue sky", ""});
  ASSERT_EQ(rows.ids.size(1), 11);  // nine words, the end, one for all the padding
  const auto text = at::randn({2, 11, 96}).mul(rows.mask.unsqueeze(-1));
  const auto sample = at::randn({2, config.transformer_config().in_channels, 5, 8, 8});
  auto context = transformer->context(text);
  for (auto& block : context) block.bias = rows.bias;
  const auto together = transformer->forward(sample, at::full({2}, 400.0), context);
  for (std::int64_t i = 0; i < 2; ++i) {
    const std::int64_t real = rows.mask.select(0, i).sum().item<std::int64_t>();
    EXPECT_EQ(real, i == 0 ? 10 : 1);
    const auto filled = at::full({1, kPromptTokens, 96}, 0.0);
    filled.narrow(1, 0, real).copy_(text.narrow(0, i, 1).narrow(1, 0, real));
    const auto alone = transformer->forward(sample.narrow(0, i, 1), at::full({1}, 400.0), transformer->context(filled, {}, real));
    EXPECT_TRUE(at::allclose(together.narrow(0, i, 1), alone, 1e-4, 1e-4)) << i;
  }
}

}  // namespace
}  // namespace kinora::train
