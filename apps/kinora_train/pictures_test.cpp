#include "kinora_train/pictures.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "kinora_train/error.hpp"
#include "kinora_train/test_pictures.hpp"

namespace kinora::train {
namespace {

// ITU-R BT.601: 0.299, 0.587, 0.114.
TEST(Pictures, luma_is_that_of_bt601) {
  at::Tensor rgb = at::zeros({3, 1, 3}, at::kFloat);
  for (int channel = 0; channel < 3; ++channel) rgb[channel][0][channel] = 255;
  const at::Tensor y = luma(rgb);
  EXPECT_NEAR(y[0][0].item<float>(), 76.245, 1e-3);
  EXPECT_NEAR(y[0][1].item<float>(), 149.685, 1e-3);
  EXPECT_NEAR(y[0][2].item<float>(), 29.07, 1e-3);
}

// The sampled Gaussian of sigma 1 and radius 3, by hand: 0.39905, 0.24203, 0.05401, 0.00443.
TEST(Pictures, blur_of_a_point_is_the_gaussian) {
  at::Tensor point = at::zeros({3, 21, 21}, at::kFloat);
  point.select(1, 10).select(1, 10).fill_(1);
  const at::Tensor out = blurred(point, 1.0);
  EXPECT_NEAR(out[0][10][10].item<float>(), 0.39905 * 0.39905, 1e-4);
  EXPECT_NEAR(out[1][10][11].item<float>(), 0.39905 * 0.24203, 1e-4);
  EXPECT_NEAR(out[2][12][13].item<float>(), 0.05401 * 0.00443, 1e-5);
  EXPECT_NEAR(out[0].sum().item<float>(), 1, 1e-5);
  EXPECT_TRUE(at::allclose(blurred(point, 0), point));
}

TEST(Pictures, blur_keeps_a_flat_picture_up_to_its_border) {
  const at::Tensor flat = at::full({3, 16, 24}, 77, at::kFloat);
  EXPECT_TRUE(at::allclose(blurred(flat, 2.0), flat, 0, 1e-3));
}

TEST(Pictures, noise_has_the_deviation_asked_for_and_repeats) {
  const at::Tensor flat = at::full({3, 128, 128}, 128, at::kFloat);
  const at::Tensor out = noisy(flat, 6, 5);
  EXPECT_NEAR(out.std().item<double>(), 6, 0.15);
  EXPECT_NEAR(out.mean().item<double>(), 128, 0.15);
  EXPECT_TRUE(out.equal(noisy(flat, 6, 5)));
  EXPECT_FALSE(out.equal(noisy(flat, 6, 6)));
  EXPECT_TRUE(noisy(flat, 0, 5).equal(flat));
}

TEST(Pictures, bytes_are_rounded_and_clamped) {
  const at::Tensor rgb = at::full({3, 1, 1}, 0, at::kFloat);
  rgb[0][0][0] = 300.0F;
  rgb[1][0][0] = -4.0F;
  rgb[2][0][0] = 99.6F;
  const at::Tensor bytes = to_bytes(rgb);
  EXPECT_EQ(bytes[0][0][0].item<int>(), 255);
  EXPECT_EQ(bytes[1][0][0].item<int>(), 0);
  EXPECT_EQ(bytes[2][0][0].item<int>(), 100);
}

TEST(Pictures, go_to_420_and_back_nearly_unchanged) {
  const at::Tensor rgb = wavy_picture(64, 96);
  const at::Tensor back = rgb_of(frame_of(rgb, {}));
  EXPECT_EQ(back.sizes(), rgb.sizes());
  EXPECT_LT((back.to(at::kFloat) - rgb.to(at::kFloat)).abs().mean().item<double>(), 2.0);
  // Bytes and floats name the same colours.
  const at::Tensor from_float = rgb_of(frame_of(rgb.to(at::kFloat) / 255, {}));
  EXPECT_LT((from_float.to(at::kFloat) - back.to(at::kFloat)).abs().mean().item<double>(), 1.0);
}

TEST(Pictures, detail_is_the_mean_step_between_neighbours) {
  at::Tensor stripes = at::zeros({3, 8, 8}, at::kFloat);
  for (int x = 1; x < 8; x += 2) stripes.select(2, x).fill_(10);  // 10 across, 0 down
  EXPECT_NEAR(detail(stripes), 5, 1e-4);
  EXPECT_EQ(detail(at::zeros({3, 8, 8}, at::kByte)), 0);
}

TEST(Pictures, refuses_a_tensor_that_is_no_picture) {
  EXPECT_THROW(frame_of(at::zeros({1, 8, 8}, at::kByte), {}), Failure);
  EXPECT_THROW(frame_of(at::zeros({3, 8, 8}, at::kDouble), {}), Failure);
}

}  // namespace
}  // namespace kinora::train
