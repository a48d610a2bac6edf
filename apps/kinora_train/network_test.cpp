#include "kinora_train/network.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kinora_train/error.hpp"
#include "kinora_train/test_pictures.hpp"

namespace kinora::train {
namespace {

const models::esrgan::SrvggConfig kSmall{.num_feat = 8, .num_conv = 2, .upscale = 2};

TEST(Network, fresh_weights_repeat_and_have_the_stated_spread) {
  const models::esrgan::SrvggConfig config{.num_feat = 32, .num_conv = 2, .upscale = 2};
  const auto weights = fresh_weights(config, 3);
  EXPECT_EQ(weights.size(), models::esrgan::srvgg_shapes(config).size());
  EXPECT_TRUE(weights.at("body.2.weight").equal(fresh_weights(config, 3).at("body.2.weight")));
  EXPECT_FALSE(weights.at("body.2.weight").equal(fresh_weights(config, 4).at("body.2.weight")));
  EXPECT_NEAR(weights.at("body.2.weight").std().item<double>(), std::sqrt(2.0 / (32 * 9)), 0.004);
  EXPECT_EQ(weights.at("body.1.weight")[0].item<float>(), 0.25F);
  EXPECT_EQ(weights.at("body.0.bias").abs().max().item<float>(), 0);
  EXPECT_TRUE(weights.at("body.0.weight").requires_grad());
}

TEST(Network, is_the_function_that_the_runner_computes) {
  const auto weights = fresh_weights(kSmall, 2);
  const at::Tensor low = wavy_picture(16, 20).to(at::kFloat).unsqueeze(0) / 255;
  EXPECT_TRUE(
      at::allclose(enlarge(kSmall, weights, low, Precision::fp32), models::esrgan::srvgg_forward(kSmall, weights, low), 1e-4, 1e-5));
}

TEST(Network, grown_computes_the_same_as_before) {
  models::esrgan::SrvggConfig deeper = kSmall;
  deeper.num_conv = 4;
  auto weights = fresh_weights(kSmall, 2);
  const at::NoGradGuard no_grad;
  weights.at("body.0.bias").fill_(0.3);
  weights.at("body.5.weight").fill_(0.7);
  const at::Tensor low = wavy_picture(16, 20).to(at::kFloat).unsqueeze(0) / 255;
  const nn::TensorMap more = grown(weights, kSmall, deeper);
  EXPECT_EQ(more.size(), models::esrgan::srvgg_shapes(deeper).size());
  EXPECT_TRUE(at::allclose(enlarge(deeper, more, low, Precision::fp32), enlarge(kSmall, weights, low, Precision::fp32), 1e-5, 1e-6));
  EXPECT_THROW(grown(more, deeper, kSmall), Failure);

  // A larger scale repeats pixels.
  models::esrgan::SrvggConfig larger = deeper;
  larger.upscale = 4;
  const at::Tensor repeated =
      enlarge(kSmall, weights, low, Precision::fp32).repeat_interleave(2, /*dim=*/2).repeat_interleave(2, /*dim=*/3);
  EXPECT_TRUE(at::allclose(enlarge(larger, grown(weights, kSmall, larger), low, Precision::fp32), repeated, 1e-5, 1e-6));
  larger.upscale = 3;
  EXPECT_THROW(grown(weights, kSmall, larger), Failure);
  deeper.num_feat = 16;
  EXPECT_THROW(grown(weights, kSmall, deeper), Failure);
}

TEST(Network, bf16_stays_close_to_fp32_and_both_have_gradients) {
  auto weights = fresh_weights(kSmall, 1);
  const at::Tensor low = wavy_picture(16, 20).to(at::kFloat).unsqueeze(0) / 255;
  const at::Tensor full = enlarge(kSmall, weights, low, Precision::fp32);
  const at::Tensor half = enlarge(kSmall, weights, low, Precision::bf16);
  EXPECT_EQ(full.sizes(), (at::IntArrayRef{1, 3, 32, 40}));
  EXPECT_LT((full - half).abs().max().item<float>(), 0.01);
  half.sum().backward();
  EXPECT_TRUE(weights.at("body.0.weight").grad().defined());
  EXPECT_EQ(weights.at("body.0.weight").grad().scalar_type(), at::kFloat);
}

// By hand: all channels differ by 0.25 (0 in the second picture), so luma does too.
TEST(Network, loss_is_the_mean_of_each_pictures_root_mean_square) {
  const at::Tensor made = at::full({2, 3, 4, 4}, 0.5, at::kFloat);
  at::Tensor wanted = at::full({2, 3, 4, 4}, 0.5, at::kFloat);
  wanted.select(0, 0).fill_(0.25);
  EXPECT_NEAR(picture_loss(made, wanted).item<double>(), 1.15 * (0.25 + 0.001) / 2, 1e-5);
  EXPECT_NEAR(picture_loss(made, made).item<double>(), 1.15 * 0.001, 1e-7);
}

// By hand: with the last convolution 0 the network is nearest-neighbour; a flat picture 10 levels off has 20 log10(25.5) dB.
TEST(Network, score_is_the_mean_luma_psnr) {
  auto weights = fresh_weights(kSmall, 1);
  for (auto& [name, weight] : weights) weight = at::zeros(weight.sizes(), at::kFloat);
  const std::vector<Pair> pairs{{at::full({3, 8, 8}, 100, at::kByte), at::full({3, 16, 16}, 110, at::kByte)},
                                {at::full({3, 8, 8}, 50, at::kByte), at::full({3, 16, 16}, 50, at::kByte)}};
  EXPECT_NEAR(mean_psnr(kSmall, weights, {pairs[0]}, Precision::fp32), 20 * std::log10(25.5), 1e-3);
  EXPECT_NEAR(mean_psnr(kSmall, weights, pairs, Precision::fp32), (20 * std::log10(25.5) + 100) / 2, 1e-2);
  EXPECT_NEAR(mean_psnr_bicubic({pairs[0]}), 20 * std::log10(25.5), 1e-3);
  EXPECT_NEAR(mean_psnr_bicubic({{at::full({3, 4, 4}, 100, at::kByte), at::full({3, 16, 16}, 110, at::kByte)}}), 20 * std::log10(25.5),
              1e-3);
}

}  // namespace
}  // namespace kinora::train
