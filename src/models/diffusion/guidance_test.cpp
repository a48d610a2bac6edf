#include "models/diffusion/guidance.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "models/diffusion/preview.hpp"

namespace kinora::models::diffusion {
namespace {

// Two rows without the prompt, two with it.
at::Tensor both() {
  return at::tensor({1.0F, 2.0F, -1.0F, 0.5F, 0.0F, 1.0F, 2.0F, 3.0F, 2.0F, 0.0F, 1.0F, 1.0F, 1.0F, 1.0F, -2.0F, 4.0F}).view({4, 2, 2});
}

TEST(Guidance, goes_from_the_prediction_without_the_prompt_through_that_with_it) {
  const auto out = guided(both(), at::full({}, 3.0), 0);
  EXPECT_TRUE(out.equal(at::tensor({4.0F, -4.0F, 5.0F, 2.0F, 3.0F, 1.0F, -10.0F, 6.0F}).view({2, 2, 2}))) << out;
}

// By rescale_noise_cfg of diffusers 0.42.1.
TEST(Guidance, rescaling_pulls_each_row_towards_the_deviation_of_its_prompt) {
  const auto out = guided(both(), at::full({}, 3.0), 0.7);
  const auto expected =
      at::tensor({1.76713407F, -1.76713407F, 2.20891762F, 0.88356704F, 1.63735926F, 0.54578644F, -5.45786381F, 3.27471852F})
          .view({2, 2, 2});
  EXPECT_TRUE(out.allclose(expected, 1e-5, 1e-6)) << out;
}

TEST(Guidance, the_scale_may_differ_from_frame_to_frame) {
  const auto out = guided(both(), at::tensor({0.0F, 1.0F}).view({1, 2, 1}), 0);
  EXPECT_TRUE(out.equal(at::tensor({1.0F, 2.0F, 1.0F, 1.0F, 0.0F, 1.0F, -2.0F, 4.0F}).view({2, 2, 2}))) << out;
}

// 0.5 (x . factors + bias) + 0.5, in bytes: worked out by hand.
TEST(Preview, maps_each_latent_pixel_to_a_colour) {
  const auto one = at::tensor({1.0F, 0.0F, 0.0F, 0.0F}).view({4, 1, 1});
  const auto sd = preview(LatentSpace::sd, one);
  EXPECT_EQ(sd.width, 1);
  EXPECT_EQ(sd.pixels, (std::vector<std::uint8_t>{172, 157, 169}));  // 255 (0.3512, 0.2297, 0.3227) / 2 + 127.5
  EXPECT_EQ(preview(LatentSpace::sdxl, one).pixels, (std::vector<std::uint8_t>{188, 179, 183}));
  EXPECT_EQ(preview(LatentSpace::sd, one.mul(100)).pixels, (std::vector<std::uint8_t>{255, 255, 255}));
}

}  // namespace
}  // namespace kinora::models::diffusion
