// tests/golden/original_layout: tiny models in the original layout and what diffusers' own conversion makes of them.
#include <ATen/ops/arange.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "models/single_file/configs.hpp"
#include "models/single_file/split.hpp"
#include "nn/load_error.hpp"
#include "nn/weights.hpp"

namespace kinora::models::single_file {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::ThrowsMessage;

json table(const std::string& family) {
  std::ifstream in(std::string(KINORA_SOURCE_DIR) + "/tests/golden/original_layout/" + family + ".json");
  EXPECT_TRUE(in) << family;
  return json::parse(in);
}

// Tensor number k holds k 2^20 + (0, 1, 2, ...).
nn::Checkpoint original(const json& test) {
  nn::Checkpoint file{.file = "model.safetensors", .tensors = {}, .metadata = {}};
  std::int64_t k = 0;
  for (const auto& row : test.at("original")) {
    const auto shape = row.at(1).get<std::vector<std::int64_t>>();
    const double first = static_cast<double>(k++ << 20);
    const auto name = row.at(0).get<std::string>();
    if (name.ends_with(".position_ids")) continue;  // left out by open_checkpoint()
    std::int64_t count = 1;
    for (const auto side : shape) count *= side;
    file.tensors.emplace(name,
                         nn::StoredTensor{nn::Dtype::f64, shape, [=] { return at::arange(count, at::kDouble).add(first).view(shape); }});
  }
  return file;
}

class SingleFiles : public testing::TestWithParam<std::pair<const char*, Family>> {};

TEST_P(SingleFiles, become_the_components_that_diffusers_makes_of_them) {
  const json test = table(GetParam().first);
  const auto file = original(test);
  ASSERT_EQ(detect(file.shapes()), GetParam().second);
  const auto components = split(file, GetParam().second);
  EXPECT_EQ(components.size(), test.at("converted").size());
  for (const auto& [component, rows] : test.at("converted").items()) {
    SCOPED_TRACE(component);
    ASSERT_TRUE(components.contains(component));
    const auto& ours = components.at(component).tensors;
    EXPECT_EQ(ours.size(), rows.size());
    for (const auto& [name, row] : rows.items()) {
      ASSERT_TRUE(ours.contains(name)) << name;
      const auto& tensor = ours.at(name);
      EXPECT_EQ(tensor.shape, row.at(0).get<std::vector<std::int64_t>>()) << name;
      const auto flat = tensor.read().to(at::kDouble).flatten();
      EXPECT_EQ(tensor.read().sizes(), c10::IntArrayRef(tensor.shape)) << name;
      EXPECT_EQ(flat[std::min<std::int64_t>(1, flat.numel() - 1)].item<double>(), row.at(1)) << name;
      EXPECT_EQ(flat[-1].item<double>(), row.at(2)) << name;
      EXPECT_EQ(flat.sum().item<double>(), row.at(3)) << name;
    }
  }
}

TEST_P(SingleFiles, tell_their_configurations_by_their_shapes) {
  const json test = table(GetParam().first);
  const auto components = split(original(test), GetParam().second);
  const auto expect_members = [](const json& ours, const json& theirs) {
    for (const auto& [member, value] : theirs.items()) {
      if (member == "sample_size" || member == "norm_num_groups") continue;  // sizes of training and defaults: in no shape
      // One number stands for a list of equal ones.
      const bool list = ours.at(member).is_array() && !value.is_array();
      EXPECT_EQ(ours.at(member), list ? json(std::vector<json>(ours.at(member).size(), value)) : value) << member;
    }
  };
  const auto shapes = [&](const char* component) { return components.at(component).shapes(); };
  expect_members(unet_config(shapes("unet"), GetParam().second, "f"), test.at("configs").at("unet"));
  expect_members(vae_config(shapes("vae"), GetParam().second, "f"), test.at("configs").at("vae"));
  if (test.at("configs").contains("image_encoder"))
    expect_members(vision_config(shapes("image_encoder"), "f"), test.at("configs").at("image_encoder"));
}

INSTANTIATE_TEST_SUITE_P(Golden, SingleFiles,
                         testing::Values(std::pair("sd15", Family::sd1), std::pair("sd21", Family::sd2), std::pair("sdxl", Family::sdxl),
                                         std::pair("svd", Family::svd)),
                         [](const auto& info) { return info.param.first; });

TEST(SingleFile, text_encoders_are_described_as_their_published_configurations_are) {
  const auto described = [](const char* family, Family kind, const char* component, bool second) {
    return text_config(split(original(table(family)), kind).at(component).shapes(), kind, second, "f");
  };
  const auto clip_l = described("sdxl", Family::sdxl, "text_encoder", false);
  EXPECT_EQ(clip_l.at("architectures"), json({"CLIPTextModel"}));
  EXPECT_EQ(clip_l.at("hidden_act"), "quick_gelu");
  EXPECT_EQ(clip_l.at("num_hidden_layers"), 2);
  EXPECT_EQ(clip_l.at("intermediate_size"), 128);
  const auto big_g = described("sdxl", Family::sdxl, "text_encoder_2", true);
  EXPECT_EQ(big_g.at("architectures"), json({"CLIPTextModelWithProjection"}));
  EXPECT_EQ(big_g.at("hidden_act"), "gelu");
  EXPECT_EQ(big_g.at("num_hidden_layers"), 11);
  EXPECT_EQ(big_g.at("projection_dim"), 64);
  EXPECT_EQ(described("sd21", Family::sd2, "text_encoder", false).at("num_hidden_layers"), 23);  // the last of 24 is not used
}

TEST(SingleFile, averages_and_schedules_are_left_out_and_a_strange_tensor_of_a_component_is_reported) {
  auto file = original(table("sd15"));
  const auto one = file.tensors.begin()->second;
  file.tensors.emplace("model_ema.diffusion_modelinput_blocks00weight", one);
  file.tensors.emplace("model.diffusion_model.input_blocks.99999.0.op.weight", one);
  file.tensors.emplace("model.diffusion_model.control.weight", one);
  const auto components = split(file, Family::sd1);
  EXPECT_THAT(components, ElementsAre(Key("text_encoder"), Key("unet"), Key("vae")));
  EXPECT_TRUE(components.at("unet").tensors.contains("control.weight"));
  EXPECT_TRUE(components.at("unet").tensors.contains("input_blocks.99999.0.op.weight"));
}

TEST(SingleFile, is_told_from_other_files) {
  EXPECT_EQ(detect({}), std::nullopt);
  EXPECT_EQ(detect({{"conv_in.weight", {320, 4, 3, 3}}}), std::nullopt);
  EXPECT_EQ(detect({{"model.diffusion_model.input_blocks.0.0.weight", {320, 4, 3, 3}},
                    {"conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias", {1280}}}),
            Family::sdxl_refiner);
}

TEST(SingleFile, with_attention_that_is_no_triple_is_refused) {
  nn::Checkpoint file = original(table("sd21"));
  file.tensors.at("cond_stage_model.model.transformer.resblocks.0.attn.in_proj_bias").shape = {191};
  EXPECT_THAT([&] { split(file, Family::sd2); },
              ThrowsMessage<nn::LoadError>(HasSubstr("resblocks.0.attn.in_proj_bias: does not hold query, key and value")));
  EXPECT_THAT([&] { unet_config({{"conv_in.weight", {4}}}, Family::sd1, "f"); },
              ThrowsMessage<nn::LoadError>(HasSubstr("f: conv_in.weight: has too few dimensions")));
}

TEST(SingleFile, schedules_follow_family_and_marks) {
  EXPECT_EQ(scheduler_config(Family::sd1, {}).at("prediction_type"), "epsilon");
  EXPECT_EQ(scheduler_config(Family::sd2, {}).at("prediction_type"), "v_prediction");
  EXPECT_EQ(scheduler_config(Family::svd, {}).at("sigma_max"), 700.0);
  const auto marked = scheduler_config(Family::sdxl, {.v_prediction = true, .zero_terminal = true});
  EXPECT_EQ(marked.at("prediction_type"), "v_prediction");
  EXPECT_EQ(marked.at("rescale_betas_zero_snr"), true);
}

}  // namespace
}  // namespace kinora::models::single_file
