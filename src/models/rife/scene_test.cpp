#include "models/rife/scene.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/remainder.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace kinora::models::rife {
namespace {

// ((7 x + 13 y + 29 c + offset) mod 64) / 63, 45 x 61.
at::Tensor pattern(double offset) {
  const auto y = at::arange(45, at::kFloat).view({45, 1}), x = at::arange(61, at::kFloat).view({1, 61});
  std::vector<at::Tensor> channels;
  for (int c = 0; c < 3; ++c) channels.push_back(at::remainder(x.mul(7).add(y.mul(13)).add(29 * c + offset), 64).div(63));
  return at::stack(channels).unsqueeze(0);
}

// Expected values: Practical-RIFE's ssim_matlab and the histogram formula, computed with PyTorch.
TEST(Scene, measures_similarity_as_practical_rife_does) {
  EXPECT_NEAR(structural_similarity(pattern(0), pattern(20)), -0.316714, 1e-4);
  EXPECT_NEAR(structural_similarity(pattern(0), pattern(0).mul(0.9).add(0.05)), 0.994531, 1e-4);
  EXPECT_NEAR(tone_difference(pattern(0), pattern(20)), 0.069008, 1e-4);
}

TEST(Scene, tells_a_repeated_frame_a_movement_and_a_cut) {
  const auto a = at::rand({1, 3, 64, 96}).mul(0.2).add(0.4);
  EXPECT_EQ(judge_change(a, a.add(0.001)), Change::none);
  auto moved = a.clone();
  moved.slice(2, 16, 32).slice(3, 16, 32).add_(0.1);  // one block of many
  EXPECT_EQ(judge_change(a, moved), Change::moved);
  EXPECT_EQ(judge_change(a, at::zeros({1, 3, 64, 96})), Change::cut);
  EXPECT_EQ(judge_change(pattern(0), pattern(0).flip({3})), Change::cut);  // the same tones, another picture
}

TEST(Scene, takes_pictures_of_one_pixel) {
  EXPECT_EQ(judge_change(at::full({1, 3, 1, 1}, 0.5), at::full({1, 3, 1, 1}, 0.5)), Change::none);
  EXPECT_EQ(judge_change(at::full({1, 3, 1, 1}, 0.0), at::full({1, 3, 1, 1}, 1.0)), Change::cut);
}

}  // namespace
}  // namespace kinora::models::rife
