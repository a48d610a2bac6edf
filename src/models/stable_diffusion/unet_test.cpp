#include "models/stable_diffusion/unet.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/loaded.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::stable_diffusion {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kFolder = KINORA_SOURCE_DIR "/tests/golden/unet_sd15/model";

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return at::abs(a.to(at::kFloat).sub(b)).max().item<double>(); }

TEST(UNet, a_batch_gives_what_its_rows_give_alone) {
  const auto unet = load_component<UNet, UNetConfig>(kFolder, {.channels_last = true}).model;
  const auto sample = at::randn({3, 4, 9, 12}), context = at::randn({3, 5, 24}), timesteps = at::tensor({1.0F, 500.0F, 999.0F});
  const auto together = unet->forward(sample, timesteps, {.context = context});
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto alone = unet->forward(sample.narrow(0, i, 1), timesteps[i], {.context = context.narrow(0, i, 1)});
    EXPECT_LT(largest_difference(alone, together.narrow(0, i, 1)), 2e-5) << i;
  }
}

TEST(UNet, one_prompt_stands_for_all_rows) {
  const auto unet = load_component<UNet, UNetConfig>(kFolder, {.channels_last = true}).model;
  const auto sample = at::randn({2, 4, 8, 8}), context = at::randn({1, 5, 24}), t = at::full({}, 30.0);
  EXPECT_LT(largest_difference(unet->forward(sample, t, {.context = context}),
                               unet->forward(sample, t, {.context = at::cat({context, context})})),
            2e-5);
}

TEST(UNet, one_token_of_context_is_what_many_equal_ones_are) {
  const auto unet = load_component<UNet, UNetConfig>(kFolder, {.channels_last = true}).model;
  const auto sample = at::randn({2, 4, 8, 8}), token = at::randn({2, 1, 24}), t = at::full({}, 30.0);
  EXPECT_LT(
      largest_difference(unet->forward(sample, t, {.context = token}), unet->forward(sample, t, {.context = token.repeat({1, 7, 1})})),
      2e-5);
}

TEST(UNet, changes_none_of_its_inputs) {
  const auto unet = load_component<UNet, UNetConfig>(kFolder, {.channels_last = true}).model;
  const auto sample = at::randn({1, 4, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast), context = at::randn({1, 5, 24});
  const auto kept_sample = sample.clone(), kept_context = context.clone();
  unet->forward(sample, at::full({}, 30.0), {.context = context});
  EXPECT_TRUE(sample.equal(kept_sample));
  EXPECT_TRUE(context.equal(kept_context));
}

TEST(UNet, computes_in_the_number_format_of_its_weights) {
  const auto exact = load_component<UNet, UNetConfig>(kFolder, {}).model;
  const auto sample = at::randn({1, 4, 8, 8}), context = at::randn({1, 5, 24}), t = at::full({}, 500.0);
  const auto expected = exact->forward(sample, t, {.context = context});
  for (const auto dtype : {at::kBFloat16, at::kHalf}) {
    const auto unet = load_component<UNet, UNetConfig>(kFolder, {.dtype = dtype, .channels_last = true}).model;
    const auto got = unet->forward(sample.to(dtype), t, {.context = context.to(dtype)});
    EXPECT_EQ(got.scalar_type(), dtype);
    EXPECT_LT(largest_difference(got, expected), dtype == at::kHalf ? 0.02 : 0.15);  // values are about 1
  }
}

TEST(UNet, weights_that_do_not_fit_are_told_in_one_report) {
  auto checkpoint = nn::open_checkpoint(kFolder);
  checkpoint.tensors.erase("mid_block.resnets.1.conv1.bias");
  checkpoint.tensors.emplace("mid_block.resnets.2.conv1.bias", checkpoint.tensors.at("conv_in.bias"));
  checkpoint.tensors.at("conv_out.weight") = checkpoint.tensors.at("conv_in.weight");
  try {
    load_network<UNet>(std::move(checkpoint), UNetConfig::read(nn::JsonConfig::read(kFolder / "config.json")), {});
    FAIL() << "accepted";
  } catch (const nn::LoadError& error) {
    EXPECT_THAT(error.what(), HasSubstr("missing mid_block.resnets.1.conv1.bias"));
    EXPECT_THAT(error.what(), HasSubstr("unexpected mid_block.resnets.2.conv1.bias"));
    EXPECT_THAT(error.what(), HasSubstr("conv_out.weight has shape [16, 4, 3, 3], needed [4, 16, 3, 3]"));
  }
}

TEST(UNet, a_weight_exchanged_under_it_is_used_at_the_next_step) {
  const auto loaded = load_component<UNet, UNetConfig>(kFolder, {.channels_last = true});
  const auto sample = at::randn({1, 4, 8, 8}), context = at::randn({1, 5, 24}), t = at::full({}, 500.0);
  const auto before = loaded.model->forward(sample, t, {.context = context});
  for (const auto* name : {"down_blocks.0.attentions.0.proj_in.weight", "mid_block.attentions.0.transformer_blocks.0.attn2.to_v.weight"}) {
    const auto weight = loaded.parameters.at(name);
    const auto own = weight.alias();
    weight.unsafeGetTensorImpl()->shallow_copy_from(own.mul(3).getIntrusivePtr());
    EXPECT_GT(largest_difference(loaded.model->forward(sample, t, {.context = context}), before), 1e-3) << name;
    weight.unsafeGetTensorImpl()->shallow_copy_from(own.getIntrusivePtr());
    EXPECT_EQ(largest_difference(loaded.model->forward(sample, t, {.context = context}), before), 0) << name;
  }
}

}  // namespace
}  // namespace kinora::models::stable_diffusion
