// Wan and LTX-Video put together from files; that they make the reference's videos is seen by the cases pipe_*_file.
#include "models/single_file/video_model.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "models/model_files.hpp"
#include "models/single_file/ltx_configs.hpp"
#include "models/single_file/wan_configs.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::single_file {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const fs::path kGolden = fs::path(KINORA_SOURCE_DIR) / "tests/golden";
const fs::path kWan = kGolden / "pipe_wan21_t2v_file", kLtx = kGolden / "pipe_ltx_091_file";

auto refuses(const std::string& text) { return ThrowsMessage<nn::LoadError>(HasSubstr(text)); }

// Shapes as the published checkpoints have them (the model cards' configurations are beside them).
nn::WeightShapes wan(std::int64_t width, std::int64_t in, std::int64_t out, std::int64_t ffn, std::int64_t layers) {
  nn::WeightShapes shapes{{"patch_embedding.weight", {width, in, 1, 2, 2}},
                          {"proj_out.weight", {out * 4, width}},
                          {"condition_embedder.text_embedder.linear_1.weight", {width, 4096}},
                          {"condition_embedder.time_embedder.linear_1.weight", {width, 256}},
                          {"blocks.0.norm2.weight", {width}},
                          {"blocks.0.ffn.net.0.proj.weight", {ffn, width}}};
  for (std::int64_t i = 0; i < layers; ++i) shapes.emplace("blocks." + std::to_string(i) + ".attn1.to_q.weight", std::vector{width, width});
  return shapes;
}

TEST(WanConfigs, published_sizes_are_told_by_their_shapes) {
  struct Size {
    std::int64_t width, in, out, ffn, layers, heads;
    double shift;
    const char* pipeline;
  };
  for (const Size& size :
       {Size{1536, 16, 16, 8960, 30, 12, 3, "WanPipeline"}, Size{5120, 16, 16, 13824, 40, 40, 3, "WanPipeline"},
        Size{5120, 36, 16, 13824, 40, 40, 3, "WanImageToVideoPipeline"}, Size{3072, 48, 48, 14336, 30, 24, 5, "WanPipeline"}}) {
    const auto config = wan_transformer_config(wan(size.width, size.in, size.out, size.ffn, size.layers), "w");
    EXPECT_EQ(config.at("num_attention_heads"), size.heads);
    EXPECT_EQ(config.at("attention_head_dim"), 128);
    EXPECT_EQ(config.at("in_channels"), size.in);
    EXPECT_EQ(config.at("out_channels"), size.out);
    EXPECT_EQ(config.at("ffn_dim"), size.ffn);
    EXPECT_EQ(config.at("num_layers"), size.layers);
    EXPECT_EQ(config.at("text_dim"), 4096);
    EXPECT_EQ(wan_scheduler_config(config).at("flow_shift"), size.shift);
    const auto index = wan_index(config, false);
    EXPECT_EQ(index.at("_class_name"), size.pipeline);
    EXPECT_EQ(index.at("expand_timesteps"), size.out == 48);
  }
}

TEST(WanConfigs, first_and_last_frame_and_two_experts_have_their_own_schedule_and_boundary) {
  auto shapes = wan(5120, 36, 16, 13824, 1);
  shapes.emplace("condition_embedder.image_embedder.norm1.weight", std::vector<std::int64_t>{1280});
  shapes.emplace("condition_embedder.image_embedder.pos_embed", std::vector<std::int64_t>{1, 514, 1280});
  shapes.emplace("blocks.0.attn2.add_k_proj.weight", std::vector<std::int64_t>{5120, 5120});
  const auto config = wan_transformer_config(shapes, "w");
  EXPECT_EQ(config.at("pos_embed_seq_len"), 514);
  EXPECT_EQ(config.at("added_kv_proj_dim"), 5120);
  EXPECT_EQ(wan_scheduler_config(config).at("flow_shift"), 16.0);
  EXPECT_TRUE(wan_index(config, false).contains("image_encoder"));
  EXPECT_EQ(wan_index(wan_transformer_config(wan(5120, 36, 16, 8, 1), "w"), true).at("boundary_ratio"), 0.9);
  EXPECT_EQ(wan_index(wan_transformer_config(wan(5120, 16, 16, 8, 1), "w"), true).at("boundary_ratio"), 0.875);
}

TEST(WanConfigs, what_shapes_do_not_tell_is_refused_with_the_reason) {
  EXPECT_THAT([] { wan_transformer_config(wan(24, 16, 16, 8, 1), "w"); }, refuses("width 24, no multiple of 128: how many heads"));
  auto vace = wan(1536, 16, 16, 8, 1);
  vace.emplace("vace_blocks.0.after_proj.bias", std::vector<std::int64_t>{1536});
  EXPECT_THAT([&] { wan_transformer_config(vace, "w"); }, refuses("is of VACE, which is not built"));
  EXPECT_THAT([] { wan_transformer_config({}, "w"); }, refuses("patch_embedding.weight: is missing"));
  auto vae = video_parts(kWan / "wan_vae.safetensors", nn::open_checkpoint(kWan / "wan_vae.safetensors")).front().weights.shapes();
  vae["post_quant_conv.weight"] = {8, 8, 1, 1, 1};
  EXPECT_THAT([&] { wan_vae_config(vae, "v"); }, refuses("8 latent channels, whose mean and deviation are not known"));
}

TEST(LtxConfigs, the_larger_model_is_refused_by_name) {
  nn::WeightShapes shapes{{"proj_in.weight", {4096, 128}}};
  for (int i = 0; i < 48; ++i)
    shapes.emplace("transformer_blocks." + std::to_string(i) + ".attn1.to_q.weight", std::vector<std::int64_t>{4096, 4096});
  EXPECT_THAT([&] { ltx_transformer_config(shapes, "l"); }, refuses("is LTX-Video 13B"));
  EXPECT_THAT([] { ltx_transformer_config({{"proj_in.weight", {80, 128}}}, "l"); }, refuses("width 80, which are not those of 32 heads"));
}

TEST(VideoParts, a_file_is_told_by_its_tensors) {
  const auto kinds = [](const fs::path& file) {
    std::vector<PartKind> all;
    for (const auto& part : video_parts(file, nn::open_checkpoint(file))) all.push_back(part.kind);
    return all;
  };
  EXPECT_THAT(kinds(kWan / "wan_t2v.safetensors"), ElementsAre(PartKind::wan_transformer));
  EXPECT_THAT(kinds(kWan / "umt5.safetensors"), ElementsAre(PartKind::umt5));
  EXPECT_THAT(kinds(kLtx / "ltx.safetensors"), ElementsAre(PartKind::ltx_transformer, PartKind::ltx_vae));
  EXPECT_THAT(kinds(kLtx / "t5xxl.safetensors"), ElementsAre(PartKind::t5));
  EXPECT_THAT(kinds(kGolden / "pipe_wan21_i2v_file/umt5.pth"), ElementsAre(PartKind::umt5));
  EXPECT_THAT(kinds(kGolden / "pipe_wan22_ti2v_file/whole.safetensors"),
              ElementsAre(PartKind::wan_transformer, PartKind::umt5, PartKind::wan_vae));
  EXPECT_THAT(kinds(kGolden / "pipe_sd15_single_file/model.safetensors"), ElementsAre());
  // A component's folder has its own configuration.
  const auto vae = kGolden / "pipe_wan21_t2v/model/vae";
  EXPECT_EQ(video_parts(vae, nn::open_checkpoint(vae)).front().channels(), 8);
}

// wan/modules/clip.py of Wan-Video/Wan2.1: the tower as transformers names it, put into their names by hand.
TEST(VideoParts, the_clip_of_wans_authors_is_the_picture_tower_alone_under_transformers_names) {
  const auto file = kGolden / "pipe_wan21_i2v_file/clip_vision.safetensors";
  const auto expected = nn::open_checkpoint(file).read();
  nn::TensorMap theirs{{"textual.head.0.weight", at::zeros({2, 2})}, {"log_scale", at::zeros({})}};
  const std::string tower = "vision_model.", embeddings = tower + "embeddings.";
  theirs["visual.patch_embedding.weight"] = expected.at(embeddings + "patch_embedding.weight");
  theirs["visual.cls_embedding"] = expected.at(embeddings + "class_embedding").view({1, 1, -1});
  theirs["visual.pos_embedding"] = expected.at(embeddings + "position_embedding.weight").unsqueeze(0);
  theirs["visual.head"] = expected.at("visual_projection.weight").t().contiguous();
  const auto joined = [](std::string first, std::string_view part, std::string_view kind) { return first.append(part).append(kind); };
  for (const std::string_view kind : {"weight", "bias"}) {
    theirs[joined("visual.", "pre_norm.", kind)] = expected.at(joined(tower, "pre_layrnorm.", kind));
    theirs[joined("visual.", "post_norm.", kind)] = expected.at(joined(tower, "post_layernorm.", kind));
    for (int i = 0;; ++i) {
      const auto own = joined(tower, "encoder.layers.", std::to_string(i) + "."), their = "visual.transformer." + std::to_string(i) + ".";
      if (!expected.contains(joined(own, "mlp.fc1.", kind))) break;
      const auto given = [&](std::string_view part) { return expected.at(joined(own, part, kind)); };
      theirs[joined(their, "attn.to_qkv.", kind)] =
          at::cat({given("self_attn.q_proj."), given("self_attn.k_proj."), given("self_attn.v_proj.")});
      theirs[joined(their, "attn.proj.", kind)] = given("self_attn.out_proj.");
      theirs[joined(their, "norm1.", kind)] = given("layer_norm1.");
      theirs[joined(their, "norm2.", kind)] = given("layer_norm2.");
      theirs[joined(their, "mlp.0.", kind)] = given("mlp.fc1.");
      theirs[joined(their, "mlp.2.", kind)] = given("mlp.fc2.");
    }
  }
  const auto parts = video_parts("clip.pth", nn::make_checkpoint(theirs, "clip.pth"));
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].kind, PartKind::clip_vision);
  const auto found = parts[0].weights.read();
  for (const auto& [name, tensor] : expected) {
    if (name.ends_with("position_ids")) continue;
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_TRUE(found.at(name).equal(tensor)) << name;
    EXPECT_EQ(parts[0].weights.tensors.at(name).shape, tensor.sizes().vec()) << name;
  }
  theirs["visual.cls_embedding"] = at::zeros({2, 1, 16});
  EXPECT_THAT([&] { video_parts("clip.pth", nn::make_checkpoint(theirs, "clip.pth")); },
              refuses("visual.cls_embedding: must have 1 sides"));
}

TEST(VideoModel, a_part_that_is_missing_or_there_twice_is_refused_by_name) {
  const auto open = [](const std::vector<fs::path>& companions) { return ModelFiles::open(kWan / "wan_t2v.safetensors", {}, companions); };
  const auto vae = kWan / "wan_vae.safetensors", text = kWan / "umt5.safetensors";
  EXPECT_THAT([&] { open({text}); }, refuses("vae: is in none of the files: a VAE of Wan with 16 latent channels"));
  EXPECT_THAT([&] { open({vae}); }, refuses("text_encoder: is in none of the files: a UMT5 text encoder of width 16"));
  EXPECT_THAT([&] { open({vae, text, vae}); }, refuses("vae: is in "));
  EXPECT_THAT([&] { ModelFiles::open(vae); }, refuses("is no whole model but a VAE of Wan"));
  EXPECT_EQ(open({vae, text}).index().text("_class_name", ""), "WanPipeline");
}

TEST(VideoModel, two_experts_are_told_by_the_names_of_their_files) {
  const auto folder = fs::path(testing::TempDir()) / ("two_experts_" + std::to_string(getpid()));
  fs::create_directories(folder);
  for (const char* name : {"high_noise.safetensors", "low_noise.safetensors"})
    fs::create_symlink(kWan / "wan_t2v.safetensors", folder / name);
  std::vector<fs::path> companions{kWan / "wan_vae.safetensors", kWan / "umt5.safetensors"};
  EXPECT_THAT([&] { ModelFiles::open(folder / "high_noise.safetensors", {}, companions); },
              refuses("transformer_2: is in none of the files"));
  EXPECT_THAT([&] { ModelFiles::open(folder / "low_noise.safetensors", {}, companions); }, refuses("is the second expert"));
  companions.push_back(folder / "low_noise.safetensors");
  const auto files = ModelFiles::open(folder / "high_noise.safetensors", {}, companions);
  EXPECT_TRUE(files.has("transformer_2"));
  EXPECT_EQ(files.index().number("boundary_ratio", 0), 0.875);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kinora::models::single_file
