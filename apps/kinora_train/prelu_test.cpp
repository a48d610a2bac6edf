#include "kinora_train/prelu.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/prelu.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

struct Sides {
  at::Tensor y, x_gradient, slope_gradient;
};

template <class Operator>
Sides sides_of(const Operator& apply, const at::Tensor& values, const at::Tensor& slope_values, const at::Tensor& weight) {
  const at::Tensor x = values.detach().clone().set_requires_grad(true);
  const at::Tensor slopes = slope_values.detach().clone().set_requires_grad(true);
  const at::Tensor y = apply(x, slopes);
  (y.to(at::kFloat) * weight).sum().backward();
  return {y.detach(), x.grad(), slopes.grad()};
}

// The peer is LibTorch's own operator.
TEST(Prelu, equals_libtorch_forward_and_backward_for_any_channel_count) {
  for (const std::int64_t channels : {1, 3, 24, 32, 33}) {
    const at::Tensor x = random({2, channels, 5, 7}, 1);
    const at::Tensor slopes = random({channels}, 2);
    const at::Tensor weight = random({2, channels, 5, 7}, 3);
    const Sides ours = sides_of(train::prelu, x, slopes, weight);
    const Sides theirs = sides_of([](const at::Tensor& a, const at::Tensor& b) { return at::prelu(a, b); }, x, slopes, weight);
    EXPECT_TRUE(at::allclose(ours.y, theirs.y)) << channels;
    EXPECT_TRUE(at::allclose(ours.x_gradient, theirs.x_gradient)) << channels;
    EXPECT_TRUE(at::allclose(ours.slope_gradient, theirs.slope_gradient, 1e-4, 1e-4)) << channels;
  }
}

TEST(Prelu, in_bf16_equals_libtorch_to_the_last_bit_of_the_picture) {
  const at::Tensor x = random({2, 32, 6, 9}, 4).to(at::kBFloat16);
  const at::Tensor slopes = random({32}, 5).to(at::kBFloat16).to(at::kFloat);
  const at::Tensor weight = random({2, 32, 6, 9}, 6);
  const Sides ours = sides_of(train::prelu, x, slopes, weight);
  const Sides theirs =
      sides_of([](const at::Tensor& a, const at::Tensor& b) { return at::prelu(a, b.to(at::kBFloat16)); }, x, slopes, weight);
  EXPECT_TRUE(ours.y.equal(theirs.y));
  EXPECT_TRUE(ours.x_gradient.equal(theirs.x_gradient));
  EXPECT_TRUE(at::allclose(ours.slope_gradient, theirs.slope_gradient, 0.02, 0.05));
}

TEST(Prelu, refuses_other_shapes_and_types) {
  EXPECT_THROW(train::prelu(random({2, 4, 3, 3}, 1), random({5}, 1)), Failure);
  EXPECT_THROW(train::prelu(random({4, 3}, 1), random({3}, 1)), Failure);
  EXPECT_THROW(train::prelu(random({2, 4, 3, 3}, 1).to(at::kDouble), random({4}, 1)), Failure);
}

}  // namespace
}  // namespace kinora::train
