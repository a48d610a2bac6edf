#include "models/esrgan/srvgg.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kinora::models::esrgan {
namespace {

using testing::HasSubstr;

nn::TensorMap zero_weights(const SrvggConfig& config) {
  nn::TensorMap weights;
  for (const auto& [name, shape] : srvgg_shapes(config)) weights.emplace(name, at::zeros(shape));
  return weights;
}

std::int64_t parameters(const SrvggConfig& config) {
  std::int64_t sum = 0;
  for (const auto& [name, shape] : srvgg_shapes(config)) {
    std::int64_t count = 1;
    for (const auto side : shape) count *= side;
    sum += count;
  }
  return sum;
}

// Published parameter and multiply counts of realesr-animevideov3 (16) and realesr-general-x4v3 (32).
TEST(Srvgg, has_the_published_parameter_and_multiply_counts) {
  EXPECT_EQ(parameters({.num_conv = 16}), 621'424);
  EXPECT_EQ(parameters({.num_conv = 32}), 1'213'296);
  EXPECT_EQ(SrvggConfig{.num_conv = 16}.macs_per_pixel(), 619'200);
  EXPECT_EQ(SrvggConfig{.num_conv = 32}.macs_per_pixel(), 1'209'024);
}

TEST(Srvgg, needs_the_published_context_for_seamless_tiles) {
  EXPECT_EQ(SrvggConfig{.num_conv = 16}.receptive_radius(), 18);
  EXPECT_EQ(SrvggConfig{.num_conv = 32}.receptive_radius(), 34);
}

TEST(Srvgg, reads_its_configuration_back_from_the_shapes) {
  for (const std::int64_t upscale : {1, 2, 3, 4, 8})
    for (const auto act : {Activation::prelu, Activation::relu, Activation::leaky_relu}) {
      const SrvggConfig config{.num_feat = 24, .num_conv = 8, .upscale = upscale, .act = act};
      EXPECT_EQ(infer_srvgg_config(srvgg_shapes(config), "f", act), config);
    }
}

TEST(Srvgg, refuses_shapes_of_other_networks) {
  const auto refusal = [](const nn::WeightShapes& shapes) -> std::string {
    try {
      infer_srvgg_config(shapes, "f");
    } catch (const nn::LoadError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal({}), HasSubstr("not an SRVGG network"));
  EXPECT_THAT(refusal({{"conv_first.weight", {64, 3, 3, 3}}}), HasSubstr("not an SRVGG network"));
  auto shapes = srvgg_shapes({.num_feat = 4, .num_conv = 1, .upscale = 2});
  shapes["body.4.weight"] = {13, 4, 3, 3};
  EXPECT_THAT(refusal(shapes), HasSubstr("times the square of a scale"));
  shapes["body.0.weight"] = {4, 17, 3, 3};
  EXPECT_THAT(refusal(shapes), HasSubstr("1 to 16 input channels"));
  shapes["body.0.weight"] = {1025, 3, 3, 3};
  EXPECT_THAT(refusal(shapes), HasSubstr("1 to 1024 features"));
  shapes["body.0.weight"] = {4, 3};
  EXPECT_THAT(refusal(shapes), HasSubstr("not an SRVGG network"));
}

TEST(Srvgg, knows_the_names_of_its_activations) {
  for (const auto act : {Activation::prelu, Activation::relu, Activation::leaky_relu}) EXPECT_EQ(activation_from_name(name(act), "f"), act);
  EXPECT_THROW(activation_from_name("gelu", "f"), nn::LoadError);
}

// With all weights zero the network is the nearest-neighbour enlargement of its input.
TEST(Srvgg, with_zero_weights_repeats_each_pixel) {
  const SrvggConfig config{.num_feat = 4, .num_conv = 2, .upscale = 3};
  const auto x = at::rand({2, 3, 5, 7});
  const auto y = srvgg_forward(config, zero_weights(config), x);
  EXPECT_TRUE(at::allclose(y, x.repeat_interleave(3, 2).repeat_interleave(3, 3)));
}

// Last bias c*s*s + i*s + j goes to channel c, row i, column j of each block: the definition of pixel shuffle.
TEST(Srvgg, places_the_channels_of_the_last_convolution_as_pixel_shuffle_does) {
  const SrvggConfig config{.num_feat = 4, .num_conv = 0, .upscale = 2};
  auto weights = zero_weights(config);
  for (int channel = 0; channel < 12; ++channel) weights.at("body.2.bias")[channel] = channel;
  const auto y = srvgg_forward(config, weights, at::zeros({1, 3, 2, 2}));
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) EXPECT_EQ(y[0][c][i][j].item<float>(), static_cast<float>(c * 4 + (i % 2) * 2 + j % 2));
}

TEST(Srvgg, leaky_relu_has_slope_one_tenth_and_relu_none) {
  for (const auto act : {Activation::relu, Activation::leaky_relu}) {
    const SrvggConfig config{.num_in_ch = 1, .num_out_ch = 1, .num_feat = 1, .num_conv = 0, .upscale = 1, .act = act};
    auto weights = zero_weights(config);
    weights.at("body.0.bias").fill_(-1);
    weights.at("body.2.weight")[0][0][1][1] = 1;
    const auto y = srvgg_forward(config, weights, at::zeros({1, 1, 1, 1}));
    EXPECT_FLOAT_EQ(y.item<float>(), act == Activation::relu ? 0.0F : -0.1F);
  }
}

TEST(Srvgg, passes_gradients_to_every_weight) {
  const SrvggConfig config{.num_feat = 4, .num_conv = 1, .upscale = 2};
  // From a seed: of some draws a slope sees no negative value, and has no gradient.
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(7);
  nn::TensorMap weights;
  for (const auto& [name, shape] : srvgg_shapes(config))
    weights.emplace(name, at::rand(shape, generator).sub_(0.5).set_requires_grad(true));
  srvgg_forward(config, weights, at::rand({1, 3, 6, 6}, generator).sub_(0.5)).sum().backward();
  for (const auto& [name, tensor] : weights) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_GT(tensor.grad().abs().sum().item<float>(), 0.0F) << name;
  }
}

}  // namespace
}  // namespace kinora::models::esrgan
