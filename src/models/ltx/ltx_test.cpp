// What LTX-Video's networks and pipelines promise beyond their numbers.
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/loaded.hpp"
#include "models/ltx/transformer.hpp"
#include "models/ltx/vae.hpp"
#include "models/pipeline.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::ltx {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";

template <typename Config>
std::string refusal(const char* text) {
  try {
    Config::read(nn::JsonConfig::parse(text, "config.json"));
  } catch (const nn::LoadError& error) {
    return error.what();
  }
  return "";
}

// Of the published checkpoints.
TEST(LtxSizes, transformers_have_the_parameters_of_the_published_ones) {
  const auto count = [](const char* text) {
    auto load = nn::WeightLoad::shapes_only();
    const Transformer network(TransformerConfig::read(nn::JsonConfig::parse(text, "config.json")), load.root());
    std::int64_t parameters = 0;
    const auto all = load.finish();
    for (const auto& [name, weight] : all) parameters += weight.numel();
    return std::pair(all.size(), parameters);
  };
  EXPECT_EQ(count("{}"), std::pair(std::size_t{715}, std::int64_t{1'923'385'472}));
  EXPECT_EQ(count(R"({"attention_head_dim": 128, "cross_attention_dim": 4096, "num_layers": 48})"),
            std::pair(std::size_t{1215}, std::int64_t{13'042'569'344}));
}

TEST(LtxVae, folding_neighbours_into_channels_and_back_changes_nothing) {
  const auto x = at::randn({2, 3, 4, 6, 8});
  for (const Sides& sides : {Sides{2, 2, 2}, Sides{1, 2, 2}, Sides{2, 1, 1}}) {
    const auto folded = space_to_channels(x, sides);
    EXPECT_EQ(folded.size(1), 3 * sides[0] * sides[1] * sides[2]);
    EXPECT_TRUE(at::allclose(channels_to_space(folded, sides), x, 0, 0));
  }
}

TEST(LtxVae, tiles_have_the_size_of_the_whole) {
  const auto vae = load_component<Vae, VaeConfig>(kGolden / "vae_ltx_090/model", {.channels_last = true}).model;
  const auto side = Vae::kTileSide / vae->config().factor + 4;
  const auto latents = at::randn({1, vae->config().latent_channels, 2, 4, side});
  EXPECT_EQ(vae->decode(latents, {}, /*tiling=*/true).sizes(), vae->decode(latents, {}).sizes());
}

TEST(LtxTransformer, masked_prompt_tokens_do_not_count) {
  const auto model = load_component<Transformer, TransformerConfig>(kGolden / "ltx_transformer/model", {}).model;
  const auto text = at::randn({1, 7, model->config().caption_width}), tokens = at::randn({1, 8, model->config().in_channels});
  auto mask = at::ones({1, 7});
  mask.narrow(1, 4, 3).zero_();
  const auto table = rotary_table({.count = {2, 2, 2}, .scale = {0.3, 32, 32}}, model->config().width(), c10::kCPU);
  const auto masked = model->forward(tokens, at::full({1}, 500.0), model->context(text, mask), table);
  const auto cut = model->forward(tokens, at::full({1}, 500.0), model->context(text.narrow(1, 0, 4), at::ones({1, 4})), table);
  EXPECT_TRUE(at::allclose(masked, cut, 1e-5, 1e-5));
}

TEST(LtxConfig, members_that_do_not_go_together_are_refused_by_name) {
  EXPECT_THAT(refusal<TransformerConfig>(R"({"cross_attention_dim": 7})"), HasSubstr("cross_attention_dim"));
  EXPECT_THAT(refusal<TransformerConfig>(R"({"patch_size": 2})"), HasSubstr("patch_size"));
  EXPECT_THAT(refusal<VaeConfig>(R"({"down_block_types": ["DownBlock", "LTXVideoDownBlock3D"]})"), HasSubstr("LTXVideoDownBlock3D"));
  EXPECT_THAT(refusal<VaeConfig>(R"({"upsample_factor": [3, 1, 1, 1]})"), HasSubstr("upsample_factor"));
  EXPECT_THAT(refusal<VaeConfig>(R"({"layers_per_block": [1, 1]})"), HasSubstr("layers_per_block"));
  EXPECT_THAT(refusal<VaeConfig>(R"({"block_out_channels": [8, 8, 15], "down_block_types": ["LTXVideo095DownBlock3D",
      "LTXVideo095DownBlock3D"], "downsample_type": ["spatial", "temporal"], "spatio_temporal_scaling": [true, true]})"),
              HasSubstr("block_out_channels"));
  EXPECT_EQ(refusal<VaeConfig>("{}"), "");
}

TEST(LtxPipeline, one_model_makes_videos_from_prompts_and_from_pictures) {
  const auto pipeline = load_pipeline(kGolden / "pipe_ltx_090/model");
  EXPECT_THAT(pipeline->info().tasks, ElementsAre(Task::text_to_video, Task::image_to_video));
  GenerationRequest request{.task = Task::image_to_video, .prompts = {"a monkey"}, .seeds = {7}};
  request.width = 40;
  request.height = 32;
  request.frames = 9;
  request.steps = 2;
  request.preview_every = 1;
  request.picture = RgbPicture{.width = 20, .height = 10, .pixels = std::vector<std::uint8_t>(600, 200)};
  int previews = 0;
  const auto result = pipeline->run(request, [&](const GenerationProgress& progress) {
    previews += progress.preview != nullptr ? 1 : 0;
    return true;
  });
  EXPECT_EQ(static_cast<std::int64_t>(result.pictures.size() - 1) % pipeline->info().frame_multiple, 0);
  EXPECT_EQ(result.pictures.front().width % pipeline->info().size_multiple, 0);
  EXPECT_EQ(result.fps, 25);
  EXPECT_EQ(previews, 2);
}

}  // namespace
}  // namespace kinora::models::ltx
