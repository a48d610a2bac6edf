#include "kinora_train/adam.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

const float* values(const at::Tensor& tensor) { return static_cast<const float*>(tensor.const_data_ptr()); }

void set_gradient(at::Tensor& weight, std::vector<float> gradient) {
  weight.mutable_grad() = at::tensor(gradient, at::TensorOptions(at::kFloat));
}

// Expected: torch.optim.Adam of PyTorch 2.11 (lr 0.01, other settings default) for the same weights and gradients.
TEST(Adam, steps_as_pytorch_does) {
  at::Tensor weight = at::tensor(std::vector<float>{1.0F, -2.0F, 0.5F}).set_requires_grad(true);
  Adam adam({{"w", weight}});
  const std::vector<std::vector<float>> gradients{{0.5F, -1.0F, 0.0F}, {0.25F, 2.0F, -3.0F}, {-4.0F, 0.125F, 1.0F}};
  const std::vector<std::vector<float>> expected{
      {0.99000001F, -1.99000001F, 0.5F}, {0.980678201F, -1.99366105F, 0.507441342F}, {0.986008525F, -1.99684334F, 0.510877073F}};
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    set_gradient(weight, gradients[step]);
    adam.step(0.01);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(values(weight)[i], expected[step][i], 1e-6) << "step " << step << " weight " << i;
    EXPECT_FALSE(weight.grad().defined()) << "gradients are cleared";
  }
  EXPECT_EQ(adam.steps(), 3);
}

TEST(Adam, leaves_a_weight_without_gradient_alone) {
  at::Tensor weight = at::full({2}, 3.0, at::kFloat).set_requires_grad(true);
  Adam adam({{"w", weight}});
  adam.step(0.1);
  EXPECT_EQ(values(weight)[0], 3.0F);
}

TEST(Adam, goes_on_from_its_state_as_if_never_stopped) {
  at::Tensor one = at::full({2}, 1.0, at::kFloat).set_requires_grad(true);
  at::Tensor other = at::full({2}, 1.0, at::kFloat).set_requires_grad(true);
  Adam straight({{"w", one}});
  Adam first({{"w", other}});
  for (int i = 0; i < 2; ++i) {
    set_gradient(one, {0.3F, -0.2F});
    straight.step(0.01);
    set_gradient(other, {0.3F, -0.2F});
    first.step(0.01);
  }
  Adam second({{"w", other}});
  second.restore(first.state(), first.steps());
  set_gradient(one, {-1.0F, 0.5F});
  straight.step(0.01);
  set_gradient(other, {-1.0F, 0.5F});
  second.step(0.01);
  EXPECT_EQ(values(one)[0], values(other)[0]);
  EXPECT_EQ(values(one)[1], values(other)[1]);
}

TEST(Adam, refuses_the_state_of_other_weights) {
  at::Tensor weight = at::full({2}, 1.0, at::kFloat).set_requires_grad(true);
  Adam adam({{"w", weight}});
  EXPECT_THROW(adam.restore({}, 1), Failure);
  EXPECT_THROW(adam.restore({{"first.w", at::full({3}, 0.0)}, {"second.w", at::full({3}, 0.0)}}, 1), Failure);
}

// By hand: decay min(0.9, (1 + step) / (10 + step)): 0.1 at step 0, 0.9 at step 80 and after.
TEST(Average, forgets_its_start_quickly_and_then_moves_by_the_decay) {
  Average average({{"w", at::full({1}, 1.0, at::kFloat)}}, 0.9);
  const nn::TensorMap two{{"w", at::full({1}, 2.0, at::kFloat)}};
  average.update(two, 0);
  EXPECT_NEAR(values(average.weights().at("w"))[0], 1.9, 1e-6);
  average.update({{"w", at::full({1}, 2.9, at::kFloat)}}, 1000);
  EXPECT_NEAR(values(average.weights().at("w"))[0], 2.0, 1e-6);
}

// By hand: half a cosine is 1, 0.5, 0 at its start, middle, end.
TEST(CosineRate, rises_over_the_warmup_and_falls_to_the_last_rate) {
  EXPECT_DOUBLE_EQ(cosine_rate(0, 1.0, 0.1, 0.2), 0);
  EXPECT_DOUBLE_EQ(cosine_rate(0.1, 1.0, 0.1, 0.2), 0.5);
  EXPECT_DOUBLE_EQ(cosine_rate(0.2, 1.0, 0.1, 0.2), 1.0);
  EXPECT_NEAR(cosine_rate(0.6, 1.0, 0.1, 0.2), 0.55, 1e-12);
  EXPECT_NEAR(cosine_rate(1.0, 1.0, 0.1, 0.2), 0.1, 1e-12);
  EXPECT_NEAR(cosine_rate(1.5, 1.0, 0.1, 0.2), 0.1, 1e-12);
}

}  // namespace
}  // namespace kinora::train
