#include "kinora_train/muon.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

using Values = std::vector<float>;

at::Tensor matrix(const Values& values, std::int64_t rows) { return at::tensor(values, at::TensorOptions(at::kFloat)).view({rows, -1}); }

void expect_near(const at::Tensor& weight, const Values& expected, const std::string& where) {
  const auto* const found = static_cast<const float*>(weight.const_data_ptr());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 4e-5) << where << " value " << i;
}

// Expected: torch.optim.Muon of PyTorch 2.11 (lr 0.01, no weight decay, adjust_lr_fn "match_rms_adamw"), which rounds to bfloat16 as ours
// does: an update of 0.005 to 1 % of it.
TEST(Muon, steps_as_pytorch_does) {
  at::Tensor wide = matrix({1.0F, -2.0F, 0.5F, 0.25F, 3.0F, -1.0F}, 2).set_requires_grad(true);
  at::Tensor tall = matrix({1.0F, -2.0F, 0.5F}, 3).set_requires_grad(true);
  Muon muon({{"wide", wide}, {"tall", tall}});
  const std::vector<Values> wide_gradients{
      {0.5F, -1.0F, 0.0F, 2.0F, 0.125F, -3.0F}, {0.25F, 2.0F, -3.0F, 1.0F, -0.5F, 0.75F}, {-4.0F, 0.125F, 1.0F, 0.5F, -2.0F, 1.5F}};
  const std::vector<Values> tall_gradients{{0.5F, -1.0F, 0.0F}, {0.25F, 2.0F, -3.0F}, {-4.0F, 0.125F, 1.0F}};
  const std::vector<Values> wide_expected{{0.998856604F, -1.997077107F, 0.499506086F, 0.248626545F, 2.999744654F, -0.997807860F},
                                          {0.998840630F, -1.998626471F, 0.502212405F, 0.245446607F, 3.000854254F, -0.997401893F},
                                          {1.001722813F, -1.997428894F, 0.502218604F, 0.245323136F, 3.004345417F, -0.998037875F}};
  const std::vector<Values> tall_expected{
      {0.998937786F, -1.997875571F, 0.5F}, {0.998602867F, -1.998937845F, 0.502097428F}, {1.000930309F, -1.999323487F, 0.502340972F}};
  for (std::size_t step = 0; step < 3; ++step) {
    wide.mutable_grad() = matrix(wide_gradients[step], 2);
    tall.mutable_grad() = matrix(tall_gradients[step], 3);
    muon.step(0.01);
    expect_near(wide, wide_expected[step], "wide, step " + std::to_string(step));
    expect_near(tall, tall_expected[step], "tall, step " + std::to_string(step));
    EXPECT_FALSE(wide.grad().defined()) << "gradients are cleared";
  }
}

TEST(Muon, leaves_a_weight_without_gradient_alone) {
  at::Tensor still = matrix({3.0F, 3.0F}, 1).set_requires_grad(true);
  at::Tensor moved = matrix({3.0F, 3.0F}, 1).set_requires_grad(true);
  Muon muon({{"a", still}, {"b", moved}});
  moved.mutable_grad() = matrix({1.0F, 0.0F}, 1);
  muon.step(0.1);
  expect_near(still, {3.0F, 3.0F}, "still");
  EXPECT_LT(static_cast<const float*>(moved.const_data_ptr())[0], 2.99F);
}

TEST(Muon, takes_a_convolution_as_the_matrix_of_its_first_dimension_by_all_others) {
  const Values values{1.0F, -2.0F, 0.5F, 0.25F, 3.0F, -1.0F, 2.0F, 0.75F}, gradient{0.5F, -1.0F, 0.0F, 2.0F, 0.125F, -3.0F, 1.0F, 0.25F};
  at::Tensor flat = matrix(values, 2).set_requires_grad(true);
  at::Tensor convolution = matrix(values, 2).view({2, 1, 2, 2}).set_requires_grad(true);
  Muon by_matrix({{"w", flat}}), by_convolution({{"w", convolution}});
  flat.mutable_grad() = matrix(gradient, 2);
  convolution.mutable_grad() = matrix(gradient, 2).view({2, 1, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast);
  by_matrix.step(0.01);
  by_convolution.step(0.01);
  const auto* const expected = static_cast<const float*>(flat.const_data_ptr());
  expect_near(convolution, Values(expected, expected + 8), "convolution");
  EXPECT_NE(expected[0], 1.0F);
}

TEST(Muon, goes_on_from_its_state_as_if_never_stopped) {
  at::Tensor one = matrix({1.0F, 2.0F, 3.0F, 4.0F}, 2).set_requires_grad(true);
  at::Tensor other = one.detach().clone().set_requires_grad(true);
  Muon straight({{"w", one}}), first({{"w", other}});
  const auto both = [&](Muon& of_other, const Values& gradient) {
    one.mutable_grad() = matrix(gradient, 2);
    straight.step(0.01);
    other.mutable_grad() = matrix(gradient, 2);
    of_other.step(0.01);
  };
  both(first, {0.3F, -0.2F, 0.1F, 0.7F});
  Muon second({{"w", other}});
  second.restore(first.state());
  both(second, {-1.0F, 0.5F, 0.25F, 0.0F});
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(static_cast<const float*>(one.const_data_ptr())[i], static_cast<const float*>(other.const_data_ptr())[i]);
}

TEST(Muon, refuses_what_is_no_matrix_and_the_state_of_other_weights) {
  EXPECT_THROW(Muon({{"w", at::full({2}, 1.0, at::kFloat)}}), Failure);
  Muon muon({{"w", at::full({2, 2}, 1.0, at::kFloat)}});
  EXPECT_THROW(muon.restore({}), Failure);
  EXPECT_THROW(muon.restore({{"first.w", at::full({3, 2}, 0.0)}}), Failure);
}

}  // namespace
}  // namespace kinora::train
