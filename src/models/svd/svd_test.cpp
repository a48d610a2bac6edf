// Stable Video Diffusion's networks: what the reference's results do not show.
#include <ATen/ops/abs.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/loaded.hpp"
#include "models/svd/unet.hpp"
#include "models/svd/vae.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::svd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path kFolder = KINORA_SOURCE_DIR "/tests/golden/pipe_svd/model";

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return at::abs(a.to(at::kFloat).sub(b)).max().item<double>(); }

TEST(SvdUNet, a_batch_gives_what_its_videos_give_alone) {
  const auto unet = load_component<UNet, UNetConfig>(kFolder / "unet", {.channels_last = true}).model;
  const auto sample = at::randn({2, 3, 8, 6, 9}), context = at::randn({2, 1, 24}), ids = at::randn({2, 3}), t = at::full({}, 1.2);
  const auto together = unet->forward(sample, t, context, ids);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto alone = unet->forward(sample.narrow(0, i, 1), t, context.narrow(0, i, 1), ids.narrow(0, i, 1));
    EXPECT_LT(largest_difference(alone, together.narrow(0, i, 1)), 2e-5) << i;
  }
}

// One token of context takes a shorter way through the attention; many equal ones take the long one and mean the same.
TEST(SvdUNet, one_token_of_context_is_what_many_equal_ones_are) {
  const auto unet = load_component<UNet, UNetConfig>(kFolder / "unet", {.channels_last = true}).model;
  const auto sample = at::randn({2, 3, 8, 6, 8}), token = at::randn({2, 1, 24}), ids = at::randn({2, 3}), t = at::full({}, 1.2);
  EXPECT_LT(largest_difference(unet->forward(sample, t, token, ids), unet->forward(sample, t, token.repeat({1, 5, 1}), ids)), 2e-5);
}

TEST(SvdUNet, computes_in_the_number_format_of_its_weights) {
  const auto sample = at::randn({1, 3, 8, 8, 8}), context = at::randn({1, 1, 24}), ids = at::randn({1, 3}), t = at::full({}, 0.3);
  const auto expected = load_component<UNet, UNetConfig>(kFolder / "unet", {}).model->forward(sample, t, context, ids);
  for (const auto dtype : {at::kBFloat16, at::kHalf}) {
    const auto unet = load_component<UNet, UNetConfig>(kFolder / "unet", {.dtype = dtype, .channels_last = true}).model;
    const auto got = unet->forward(sample.to(dtype), t, context.to(dtype), ids.to(dtype));
    EXPECT_EQ(got.scalar_type(), dtype);
    EXPECT_LT(largest_difference(got, expected), dtype == at::kHalf ? 0.02 : 0.15);
  }
}

TEST(SvdVae, decodes_videos_apart_from_each_other) {
  const auto vae = load_component<TemporalVae, stable_diffusion::VaeConfig>(kFolder / "vae", {.channels_last = true}).model;
  const auto latents = at::randn({6, 4, 4, 5});
  const auto together = vae->decode(latents, 2);
  EXPECT_LT(largest_difference(vae->decode(latents.narrow(0, 3, 3), 1), together.narrow(0, 3, 3)), 2e-5);
  EXPECT_GT(largest_difference(vae->decode(latents, 1), together), 1e-3);  // six frames of one video see each other
}

struct Bad {
  const char* text;
  const char* member;
};
class SvdUNetConfigRefuses : public ::testing::TestWithParam<Bad> {};
TEST_P(SvdUNetConfigRefuses, naming_file_and_member) {
  try {
    UNetConfig::read({nlohmann::json::parse(GetParam().text), "unet/config.json"});
    FAIL() << "accepted";
  } catch (const nn::LoadError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("unet/config.json"), HasSubstr(GetParam().member)));
  }
}
INSTANTIATE_TEST_SUITE_P(Members, SvdUNetConfigRefuses,
                         ::testing::Values(Bad{R"({"block_out_channels": [48, 64, 64, 64]})", "block_out_channels"},
                                           Bad{R"({"num_attention_heads": 7})", "num_attention_heads"},
                                           Bad{R"({"down_block_types": ["DownBlock2D"]})", "down_block_types"},
                                           Bad{R"({"up_block_types": ["UpBlockSpatioTemporal"]})", "up_block_types"},
                                           Bad{R"({"num_frames": 0})", "num_frames"},
                                           Bad{R"({"layers_per_block": 99})", "layers_per_block"},
                                           Bad{R"({"cross_attention_dim": "1024"})", "cross_attention_dim"}));

}  // namespace
}  // namespace kinora::models::svd
