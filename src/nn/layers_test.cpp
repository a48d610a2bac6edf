// Each layer against its formula, computed by hand on a few numbers.
#include "nn/layers.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

namespace kinora::nn {
namespace {

float at_index(const at::Tensor& t, std::int64_t index) { return t.flatten()[index].item<float>(); }

TEST(Layers, linear_is_x_times_transposed_weight_plus_bias) {
  WeightLoad load({{"weight", at::arange(6, at::kFloat).view({2, 3})}, {"bias", at::arange(2, at::kFloat)}}, {}, "f");
  const auto y = Linear(load.root(), 3, 2)(at::ones({1, 3}));
  EXPECT_EQ(at_index(y, 0), 0 + 1 + 2 + 0);
  EXPECT_EQ(at_index(y, 1), 3 + 4 + 5 + 1);
}

TEST(Layers, convolutions_sum_their_window) {
  WeightLoad load({{"weight", at::ones({1, 2, 3, 3})}, {"bias", at::full({1}, 0.5)}}, {}, "f");
  const auto y = Conv2d(load.root(), 2, 1, 3, /*stride=*/2, /*padding=*/1)(at::ones({1, 2, 5, 5}));
  EXPECT_EQ(y.sizes(), c10::IntArrayRef({1, 1, 3, 3}));
  EXPECT_EQ(at_index(y, 4), 18.5F);  // the middle sees all of 2 x 3 x 3
  EXPECT_EQ(at_index(y, 0), 8.5F);   // the corner 2 x 2 x 2

  WeightLoad volume({{"weight", at::ones({1, 1, 2, 1, 1})}}, {}, "f");
  const auto z = Conv3d(volume.root(), 1, 1, {2, 1, 1}, {1, 1, 1}, {0, 0, 0}, Bias::no)(at::ones({1, 1, 3, 2, 2}));
  EXPECT_EQ(z.sizes(), c10::IntArrayRef({1, 1, 2, 2, 2}));
  EXPECT_EQ(at_index(z, 0), 2.0F);
}

TEST(Layers, norms_have_the_mean_and_scale_of_their_definition) {
  const auto x = at::arange(4, at::kFloat).view({1, 4}).mul(2).add(1);  // 1 3 5 7: mean 4, variance 5
  WeightLoad load({{"weight", at::full({4}, 2.0)}, {"bias", at::full({4}, 1.0)}}, {}, "f");
  EXPECT_NEAR(at_index(LayerNorm(load.root(), 4, 0.0)(x), 3), 3 / std::sqrt(5.0) * 2 + 1, 1e-5);
  EXPECT_NEAR(at_index(LayerNorm(load.root(), 4, 0.0, /*affine=*/false)(x), 0), -3 / std::sqrt(5.0), 1e-5);
  EXPECT_NEAR(at_index(RmsNorm(load.root(), 4, 0.0)(x), 3), 7 / std::sqrt(21.0) * 2, 1e-5);  // mean square 84 / 4
  // Two groups of two channels: (1, 3) and (5, 7), each with mean +-1 of itself.
  const auto groups = GroupNorm(load.root(), 2, 4, 0.0)(x.view({1, 4, 1}));
  EXPECT_NEAR(at_index(groups, 0), -1.0, 1e-5);
  EXPECT_NEAR(at_index(groups, 3), 3.0, 1e-5);
}

TEST(Layers, embedding_picks_rows) {
  WeightLoad load({{"weight", at::arange(6, at::kFloat).view({3, 2})}}, {}, "f");
  EXPECT_EQ(at_index(Embedding(load.root(), 3, 2)(at::full({1}, 2, at::kLong)), 1), 5.0F);
}

TEST(Layers, activations_follow_their_formulas) {
  const auto one = at::ones({1});
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_NEAR(at_index(apply(Act::silu, one), 0), sigmoid(1), 1e-6);
  EXPECT_NEAR(at_index(apply(Act::gelu, one), 0), 0.5 * (1 + std::erf(1 / std::sqrt(2.0))), 1e-6);
  EXPECT_NEAR(at_index(apply(Act::gelu_tanh, one), 0), 0.5 * (1 + std::tanh(std::sqrt(2 / M_PI) * 1.044715)), 1e-6);
  EXPECT_NEAR(at_index(apply(Act::quick_gelu, one), 0), sigmoid(1.702), 1e-6);
  EXPECT_EQ(at_index(apply(Act::relu, one.neg()), 0), 0.0F);
  EXPECT_NEAR(at_index(apply(Act::mish, one), 0), std::tanh(std::log1p(std::exp(1.0))), 1e-6);
  EXPECT_EQ(activation("gelu_new", "f", "hidden_act"), Act::gelu_tanh);
  EXPECT_THROW(activation("sine", "f", "hidden_act"), LoadError);
}

}  // namespace
}  // namespace kinora::nn
