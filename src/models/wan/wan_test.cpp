// What Wan's networks and pipelines promise beyond their numbers.
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/loaded.hpp"
#include "models/pipeline.hpp"
#include "models/wan/rotary.hpp"
#include "models/wan/transformer.hpp"
#include "models/wan/vae.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::wan {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

// Tensors and parameters of the published checkpoints (their model cards' index files).
template <typename Network, typename Config>
std::pair<std::size_t, std::int64_t> count(const char* config) {
  auto load = nn::WeightLoad::shapes_only();
  const Network network(Config::read(nn::JsonConfig::parse(config, "config.json")), load.root());
  std::int64_t parameters = 0;
  const auto all = load.finish();
  for (const auto& [name, weight] : all) parameters += weight.numel();
  return {all.size(), parameters};
}

TEST(WanSizes, networks_have_the_parameters_of_the_published_ones) {
  using ::std::pair;
  EXPECT_EQ((count<Transformer, TransformerConfig>(R"({"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30, "text_dim": 4096})")),
            pair(std::size_t{825}, std::int64_t{1'418'996'800}));
  EXPECT_EQ((count<Transformer, TransformerConfig>(R"({"text_dim": 4096})")), pair(std::size_t{1095}, std::int64_t{14'288'491'584}));
  EXPECT_EQ((count<Transformer, TransformerConfig>(
                R"({"text_dim": 4096, "in_channels": 36, "out_channels": 16, "image_dim": 1280, "added_kv_proj_dim": 5120})")),
            pair(std::size_t{1303}, std::int64_t{16'394'878'784}));
  EXPECT_EQ(
      (count<Transformer, TransformerConfig>(
          R"({"text_dim": 4096, "num_attention_heads": 24, "ffn_dim": 14336, "num_layers": 30, "in_channels": 48, "out_channels": 48})")),
      pair(std::size_t{825}, std::int64_t{4'999'787'712}));
  EXPECT_EQ((count<Vae, VaeConfig>("{}")), pair(std::size_t{194}, std::int64_t{126'892'531}));
}

TEST(WanTransformer, equal_rows_of_padding_count_as_one_row_of_their_weight) {
  const auto model = load_component<Transformer, TransformerConfig>(kGolden / "wan_t2v/model", {}).model;
  const auto& c = model->config();
  const auto prompt = at::randn({1, 5, c.text_width});
  const auto padded = at::cat({prompt, at::full({1, 19, c.text_width}, 0.0)}, 1);
  const auto sample = at::randn({1, c.in_channels, 2, 4, 6});
  const auto all = model->forward(sample, at::full({1}, 500), model->context(padded));
  const auto few = model->context(padded, {}, 5);
  EXPECT_EQ(few.front().keys.size(2), 6);
  EXPECT_TRUE(at::allclose(model->forward(sample, at::full({1}, 500), few), all, 1e-5, 1e-5));
}

TEST(WanTransformer, one_timestep_for_each_token_equals_one_for_all_when_they_are_equal) {
  const auto model = load_component<Transformer, TransformerConfig>(kGolden / "wan_t2v/model", {}).model;
  const auto context = model->context(at::randn({1, 5, model->config().text_width}));
  const auto sample = at::randn({1, model->config().in_channels, 2, 4, 6});
  const auto one = model->forward(sample, at::full({1}, 321.0), context);
  EXPECT_TRUE(at::allclose(model->forward(sample, at::full({1, 12}, 321.0), context), one, 0, 0));
}

TEST(WanTransformer, more_tokens_than_positions_are_refused) {
  EXPECT_THROW(rotary_table({1, 1, 33}, 24, 32, c10::kCPU), std::invalid_argument);
}

TEST(WanVae, frame_counts_other_than_one_and_fours_are_refused) {
  const auto vae = load_component<Vae, VaeConfig>(kGolden / "vae_wan21/model", {}).model;
  EXPECT_THROW(vae->encode(at::randn({1, 3, 8, 16, 16})), std::invalid_argument);
}

TEST(WanVae, tiles_agree_with_the_whole_away_from_their_seams) {
  const auto vae = load_component<Vae, VaeConfig>(kGolden / "vae_wan21/model", {.channels_last = true}).model;
  const auto latents = at::randn({1, vae->config().latent_channels, 2, 4, 40});  // 320 pixels: two tiles
  const auto whole = vae->decode(latents), tiled = vae->decode(latents, {.tiling = true});
  EXPECT_EQ(tiled.sizes(), whole.sizes());
  EXPECT_EQ(tiled.size(4), 320);
  // The first tile alone makes the columns before the second begins, but for what the attention and the borders see.
  EXPECT_LT(tiled.slice(4, 0, 64).sub(whole.slice(4, 0, 64)).abs().mean().item<double>(), 0.2);
  EXPECT_FALSE(at::allclose(tiled, whole, 0, 0));  // it was cut
}

TEST(WanPipeline, one_model_tells_what_it_does_and_what_it_needs) {
  const auto text = describe_pipeline(kGolden / "pipe_wan21_t2v/model");
  EXPECT_EQ(text.family, "wan");
  EXPECT_THAT(text.tasks, ElementsAre(Task::text_to_video));
  EXPECT_EQ(text.size_multiple, 16);
  EXPECT_EQ(text.frame_multiple, 4);
  const auto picture = describe_pipeline(kGolden / "pipe_wan21_i2v/model");
  EXPECT_THAT(picture.tasks, ElementsAre(Task::image_to_video));
  EXPECT_TRUE(picture.takes_last_picture);
  const auto both = describe_pipeline(kGolden / "pipe_wan22_ti2v_t2v/model");
  EXPECT_THAT(both.tasks, ElementsAre(Task::text_to_video, Task::image_to_video));
  EXPECT_EQ(both.size_multiple, 32);
}

TEST(WanPipeline, a_rounded_request_makes_the_rounded_video_and_says_so) {
  const auto pipeline = load_pipeline(kGolden / "pipe_wan21_t2v/model");
  GenerationRequest request{.task = Task::text_to_video, .prompts = {"a monkey"}, .seeds = {7}};
  request.width = 50;
  request.height = 32;
  request.frames = 8;
  request.steps = 1;
  request.preview_every = 1;
  int previews = 0;
  const auto result = pipeline->run(request, [&](const GenerationProgress& progress) {
    previews += progress.preview != nullptr ? 1 : 0;
    return true;
  });
  ASSERT_EQ(result.pictures.size(), 9U);
  EXPECT_EQ(result.pictures.front().width, 48);
  EXPECT_EQ(result.fps, 16);
  EXPECT_EQ(previews, 1);
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("width 50 became 48"), HasSubstr("frames 8 became 9")));
}

TEST(WanConfig, members_that_do_not_go_together_are_refused_by_name) {
  const auto refusal = [](const char* text) {
    try {
      TransformerConfig::read(nn::JsonConfig::parse(text, "config.json"));
    } catch (const nn::LoadError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(R"({"added_kv_proj_dim": 7})"), HasSubstr("added_kv_proj_dim"));
  EXPECT_THAT(refusal(R"({"attention_head_dim": 13})"), HasSubstr("attention_head_dim"));
  EXPECT_THAT(refusal(R"({"qk_norm": "layer_norm"})"), HasSubstr("rms_norm_across_heads"));
  EXPECT_THAT(refusal(R"({"patch_size": [1, 2]})"), HasSubstr("patch_size"));
}

TEST(WanConfig, widths_that_a_vae_cannot_halve_or_repeat_are_refused) {
  const auto refusal = [](const char* text) {
    try {
      VaeConfig::read(nn::JsonConfig::parse(text, "config.json"));
    } catch (const nn::LoadError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(R"({"decoder_base_dim": 1, "dim_mult": [1, 1], "temperal_downsample": [true]})"), HasSubstr("decoder_base_dim"));
  EXPECT_EQ(refusal(R"({"base_dim": 3, "dim_mult": [1, 1, 1, 1]})"), "");  // halves of odd widths are rounded down
  EXPECT_THAT(refusal(R"({"is_residual": true, "dim_mult": [3, 7, 4, 4]})"), HasSubstr("dim_mult"));
  EXPECT_THAT(refusal(R"({"attn_scales": [0.5]})"), HasSubstr("attn_scales"));
  EXPECT_THAT(refusal(R"({"z_dim": 8})"), HasSubstr("latents_mean"));
  EXPECT_EQ(refusal(R"({"is_residual": true, "patch_size": 2, "in_channels": 12, "out_channels": 12})"), "");
}

}  // namespace
}  // namespace kinora::models::wan
