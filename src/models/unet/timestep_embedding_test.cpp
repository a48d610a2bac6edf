#include "models/unet/timestep_embedding.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace kinora::models::unet {
namespace {

// Computed in double by the definition.
TEST(SinusoidalEmbedding, cosines_come_first_when_flipped) {
  const auto expected =
      at::tensor({-0.8390715, 0.5403023, 0.9950042, 0.9999500, -0.5440211, 0.8414710, 0.0998334, 0.0099998}).to(at::kFloat);
  EXPECT_TRUE(at::allclose(sinusoidal_embedding(at::tensor({10.0}), 8), expected.unsqueeze(0), 0, 2e-6));
  const auto sines_first = sinusoidal_embedding(at::tensor({10.0}), 8, {.flip_sin_to_cos = false});
  EXPECT_TRUE(at::allclose(sines_first.narrow(1, 0, 4), expected.narrow(0, 4, 4).unsqueeze(0), 0, 2e-6));
}

TEST(SinusoidalEmbedding, a_shift_stretches_the_frequencies_to_the_last_one) {
  // half = 2, shift 1: frequencies 1 and 1/10000.
  const auto got = sinusoidal_embedding(at::tensor({10000.0}), 4, {.flip_sin_to_cos = false, .freq_shift = 1});
  EXPECT_NEAR(got[0][1].item<float>(), 0.8414710, 1e-5);  // sin(1)
  EXPECT_NEAR(got[0][3].item<float>(), 0.5403023, 1e-5);  // cos(1)
}

TEST(SinusoidalEmbedding, an_odd_size_ends_with_zero_and_whole_numbers_are_taken) {
  const auto got = sinusoidal_embedding(at::tensor({3, 4}), 5);
  EXPECT_EQ(got.sizes(), c10::IntArrayRef({2, 5}));
  EXPECT_EQ(got[1][4].item<float>(), 0.0F);
  EXPECT_NEAR(got[1][0].item<float>(), -0.6536436, 1e-6);  // cos(4)
}

}  // namespace
}  // namespace kinora::models::unet
