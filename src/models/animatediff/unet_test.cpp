#include "models/animatediff/unet.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"

namespace kinora::models::animatediff {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kFolder = KINORA_SOURCE_DIR "/tests/golden/unet_animatediff/model";

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return at::abs(a.sub(b)).max().item<double>(); }
MotionConfig motion(const char* text) { return MotionConfig::read({nlohmann::json::parse(text), "adapter/config.json"}); }

TEST(AnimateDiffUNet, a_batch_gives_what_its_videos_give_alone) {
  const auto unet = load_unet(kFolder / "unet", kFolder / "motion_adapter", {.channels_last = true}).model;
  const auto sample = at::randn({2, 4, 5, 7, 6}), context = at::randn({2, 6, 16}), t = at::full({}, 40.0);
  const auto together = unet->forward(sample, t, {.context = context});
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto alone = unet->forward(sample.narrow(0, i, 1), t, {.context = context.narrow(0, i, 1)});
    EXPECT_LT(largest_difference(alone, together.narrow(0, i, 1)), 2e-5) << i;
  }
}

TEST(AnimateDiffUNet, an_adapter_of_another_model_is_refused) {
  const auto unet = stable_diffusion::UNetConfig::read({nlohmann::json::object(), "unet/config.json"});
  const auto refusal = [&](const char* text) -> std::string {
    try {
      UNetMotionConfig::join(unet, motion(text), "adapter/config.json");
    } catch (const nn::LoadError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal("{}"), "accepted");
  EXPECT_THAT(refusal(R"({"block_out_channels": [320, 640, 1280]})"), HasSubstr("adapter/config.json: block_out_channels"));
  EXPECT_THAT(refusal(R"({"motion_layers_per_block": 3})"), HasSubstr("motion_layers_per_block"));
}

TEST(AnimateDiffUNet, adapters_that_also_change_the_input_are_refused) {
  EXPECT_THROW(motion(R"({"conv_in_channels": 9})"), nn::LoadError);
  EXPECT_THROW(motion(R"({"motion_num_attention_heads": 7})"), nn::LoadError);
}

}  // namespace
}  // namespace kinora::models::animatediff
