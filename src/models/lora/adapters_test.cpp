#include "models/lora/adapters.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "nn/load_error.hpp"

namespace kinora::models::lora {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

at::Tensor matrix(std::vector<float> values, std::vector<std::int64_t> shape) { return at::tensor(values).view(shape); }

std::shared_ptr<const AdapterFile> file(const nn::TensorMap& tensors, const std::map<std::string, std::string>& metadata = {}) {
  auto checkpoint = nn::make_checkpoint(tensors, "style.safetensors");
  checkpoint.metadata = metadata;
  return std::make_shared<const AdapterFile>(read_adapter(checkpoint));
}

std::string refusal(const nn::TensorMap& tensors) {
  try {
    file(tensors);
  } catch (const nn::LoadError& error) {
    return error.what();
  }
  return "accepted";
}

// down = (1 2), up = (3 4)^T: up down = (3 6; 4 8).
nn::TensorMap low_rank(const std::string& module, const char* down = ".lora_A.weight", const char* up = ".lora_B.weight") {
  return {{module + down, matrix({1, 2}, {1, 2})}, {module + up, matrix({3, 4}, {2, 1})}};
}

class AdaptersTest : public testing::Test {
 protected:
  at::Tensor weight_ = at::full({2, 2}, 10.0), bias_ = at::zeros({2});
  std::vector<AdapterTarget> targets() const {
    return {{"unet", {{"mid_block.attentions.0.proj_in.weight", weight_}, {"mid_block.attentions.0.proj_in.bias", bias_}}}};
  }
  void expect_weight(std::vector<float> values) const { EXPECT_TRUE(weight_.allclose(matrix(std::move(values), {2, 2}))) << weight_; }
};

TEST_F(AdaptersTest, a_copy_of_a_component_is_changed_alike) {
  const at::Tensor copy = at::full({2, 2}, 10.0);
  auto all = targets();
  all.push_back({"unet", {{"mid_block.attentions.0.proj_in.weight", copy}, {"mid_block.attentions.0.proj_in.bias", at::zeros({2})}}});
  Adapters adapters(all);
  adapters.set({{.file = file(low_rank("unet.mid_block.attentions.0.proj_in"))}});
  expect_weight({13, 16, 14, 18});
  EXPECT_TRUE(copy.equal(weight_)) << copy;
  adapters.set({});
  EXPECT_TRUE(copy.equal(at::full({2, 2}, 10.0)));
}

TEST_F(AdaptersTest, the_change_is_scale_times_alpha_over_rank_times_up_times_down) {
  Adapters adapters(targets());
  auto tensors = low_rank("unet.mid_block.attentions.0.proj_in");
  adapters.set({{.file = file(tensors)}});
  expect_weight({13, 16, 14, 18});
  tensors.emplace("unet.mid_block.attentions.0.proj_in.alpha", at::tensor(4.0F));
  adapters.set({{.file = file(tensors), .scale = -0.5}});
  expect_weight({10 - 6, 10 - 12, 10 - 8, 10 - 16});
}

TEST_F(AdaptersTest, several_add_up_and_none_restores_the_model_bit_by_bit) {
  weight_ = at::randn({2, 2}).to(at::kBFloat16);
  const auto before = weight_.clone();
  void* memory = weight_.mutable_data_ptr();
  Adapters adapters(targets());
  const auto one = file(low_rank("unet.mid_block.attentions.0.proj_in"));
  adapters.set({{.file = one, .scale = 0.7}, {.file = one, .scale = -0.4}});
  const auto expected = before.to(at::kFloat).add(matrix({3, 6, 4, 8}, {2, 2}), 0.7 - 0.4).to(at::kBFloat16);
  EXPECT_TRUE(weight_.equal(expected));
  EXPECT_EQ(weight_.scalar_type(), at::kBFloat16);
  EXPECT_EQ(adapters.changed_weights(), 1U);
  adapters.set({});
  EXPECT_TRUE(weight_.equal(before));
  EXPECT_EQ(weight_.mutable_data_ptr(), memory);  // the base never moved
  EXPECT_EQ(adapters.changed_weights(), 0U);
}

TEST_F(AdaptersTest, a_component_may_have_its_own_scale) {
  Adapters adapters(targets());
  adapters.set({{.file = file(low_rank("unet.mid_block.attentions.0.proj_in")), .scale = 5, .component_scales = {{"unet", 2.0}}}});
  expect_weight({16, 22, 18, 26});
}

TEST_F(AdaptersTest, bias_differences_are_scaled_like_the_rest) {
  Adapters adapters(targets());
  auto tensors = low_rank("diffusion_model.mid_block.attentions.0.proj_in", ".lora_down.weight", ".lora_up.weight");
  tensors.emplace("diffusion_model.mid_block.attentions.0.proj_in.diff_b", matrix({1, 2}, {2}));
  adapters.set({{.file = file(tensors), .scale = 0.5}});
  EXPECT_TRUE(bias_.allclose(matrix({0.5, 1}, {2})));
  tensors = low_rank("unet.mid_block.attentions.0.proj_in");
  tensors.emplace("unet.mid_block.attentions.0.proj_in.lora_B.bias", matrix({1, 2}, {2}));
  tensors.emplace("unet.mid_block.attentions.0.proj_in.alpha", at::tensor(3.0F));
  adapters.set({{.file = file(tensors)}});
  EXPECT_TRUE(bias_.allclose(matrix({3, 6}, {2})));
}

TEST_F(AdaptersTest, whole_differences_of_norms_are_added) {
  const auto norm = at::full({2}, 1.0);
  Adapters adapters({{"transformer", {{"blocks.3.norm2.weight", norm}}}});
  adapters.set({{.file = file({{"diffusion_model.blocks.3.norm3.diff", matrix({1, -1}, {2})}}), .scale = 0.5}});
  EXPECT_TRUE(norm.allclose(matrix({1.5, 0.5}, {2})));
}

// dW[o, i, y, x] = sum over r of up[o, r] down[r, i, y, x]
TEST_F(AdaptersTest, convolutions_keep_their_kernel_and_their_memory_order) {
  const auto weight = at::zeros({2, 3, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  Adapters adapters({{"unet", {{"down_blocks.0.resnets.0.conv1.weight", weight}}}});
  const auto down = at::randn({1, 3, 3, 3});
  adapters.set({{.file = file({{"lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight", down},
                               {"lora_unet_down_blocks_0_resnets_0_conv1.lora_up.weight", matrix({2, -1}, {2, 1, 1, 1})}})}});
  EXPECT_TRUE(weight[0].allclose(down[0].mul(2)));
  EXPECT_TRUE(weight[1].allclose(down[0].neg()));
  EXPECT_TRUE(weight.is_contiguous(at::MemoryFormat::ChannelsLast));
  // With a tensor between two 1x1 convolutions: dW[o, i, y, x] = up[o] mid[y, x] down[i].
  const auto mid = at::randn({1, 1, 3, 3});
  adapters.set({{.file = file({{"lora_unet_input_blocks_1_0_in_layers_2.lora_down.weight", matrix({1, 2, 3}, {1, 3, 1, 1})},
                               {"lora_unet_input_blocks_1_0_in_layers_2.lora_mid.weight", mid},
                               {"lora_unet_input_blocks_1_0_in_layers_2.lora_up.weight", matrix({2, -1}, {2, 1, 1, 1})}})}});
  EXPECT_TRUE(weight[0][2].allclose(mid[0][0].mul(6)));
}

TEST_F(AdaptersTest, alpha_may_be_in_pefts_configuration) {
  Adapters adapters(targets());
  const auto scaled = [&](const std::string& members) {
    adapters.set({{.file = file(low_rank("unet.mid_block.attentions.0.proj_in"), {{"lora_adapter_metadata", members}})}});
    return weight_[0][0].item<float>();
  };
  EXPECT_EQ(scaled(R"({"unet.lora_alpha": 2.0, "unet.r": 1})"), 16.0F);
  EXPECT_EQ(scaled(R"({"unet.lora_alpha": 2.0, "unet.alpha_pattern": {"proj_in": 3}})"), 19.0F);
  EXPECT_EQ(scaled(R"({"text_encoder.lora_alpha": 2.0})"), 13.0F);
  EXPECT_THROW(scaled("[1"), nn::LoadError);
  EXPECT_THROW(scaled(R"({"unet.lora_alpha": "two"})"), nn::LoadError);
}

TEST_F(AdaptersTest, what_does_not_fit_is_reported_at_once_and_changes_nothing) {
  Adapters adapters(targets());
  auto tensors = low_rank("unet.mid_block.attentions.0.proj_in");
  for (int i = 0; i < 12; ++i) tensors.merge(low_rank("unet.down_blocks." + std::to_string(i) + ".conv"));
  EXPECT_THAT([&] { adapters.set({{.file = file(tensors)}}); },
              ThrowsMessage<nn::LoadError>(AllOf(HasSubstr("style.safetensors: 12 modules do not fit the model"),
                                                 HasSubstr("unet.down_blocks.0.conv: no such module"), HasSubstr("; ..."))));
  expect_weight({10, 10, 10, 10});
  EXPECT_THAT(
      [&] {
        adapters.set({{.file = file({{"unet.mid_block.attentions.0.proj_in.lora_A.weight", at::zeros({4, 3})},
                                     {"unet.mid_block.attentions.0.proj_in.lora_B.weight", at::zeros({2, 4})}})}});
      },
      ThrowsMessage<nn::LoadError>(HasSubstr("proj_in: matrices [2, 4] and [4, 3], weight [2, 2]")));
  EXPECT_THAT(
      [&] {
        adapters.set({{.file = file(low_rank("unet.mid_block.attentions.0.proj_in")), .scale = std::numeric_limits<double>::infinity()}});
      },
      ThrowsMessage<nn::LoadError>(HasSubstr("scale: must be a finite number")));
  EXPECT_THAT([&] { adapters.set({{.file = file(low_rank("lora_te1_text_model_x", ".lora_down.weight", ".lora_up.weight"))}}); },
              ThrowsMessage<nn::LoadError>(HasSubstr("lora_te1_text_model_x: no such module")));
}

TEST_F(AdaptersTest, files_that_are_no_lora_are_refused_with_the_reason) {
  const auto one = at::zeros({1, 1});
  EXPECT_THAT(refusal({}), HasSubstr("holds no LoRA"));
  EXPECT_THAT(refusal({{"conv_in.weight", one}}), HasSubstr("conv_in.weight: is no part of a LoRA"));
  EXPECT_THAT(refusal({{"a.hada_w1_a", one}}), HasSubstr("a.hada_w1_a: is a LoHa adapter; only LoRA is read"));
  EXPECT_THAT(refusal({{"a.lokr_w1", one}}), HasSubstr("is a LoKr adapter"));
  EXPECT_THAT(refusal({{"a.dora_scale", one}}), HasSubstr("is a DoRA adapter"));
  EXPECT_THAT(refusal({{"a.lora_A.weight", one}}), HasSubstr("a: has a down and no up matrix"));
  EXPECT_THAT(refusal({{"a.alpha", one}}), HasSubstr("a: has neither matrices nor differences"));
  EXPECT_THAT(refusal({{"a.lora_A.weight", at::zeros({2, 1})}, {"a.lora_B.weight", one}}), HasSubstr("different ranks"));
  EXPECT_THAT(refusal({{"a.lora_A.weight", at::zeros({0, 1})}, {"a.lora_B.weight", at::zeros({1, 0})}}), HasSubstr("rank 0"));
  EXPECT_THAT(refusal({{"a.lora_A.weight", one.to(at::kInt)}, {"a.lora_B.weight", one}}), HasSubstr("has dtype I32"));
  EXPECT_THAT(refusal({{"a.lora_A.weight", at::full({1, 1}, std::nanf(""))}, {"a.lora_B.weight", one}}), HasSubstr("NaN"));
}

}  // namespace
}  // namespace kinora::models::lora
