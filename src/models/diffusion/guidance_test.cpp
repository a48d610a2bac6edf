#include "models/diffusion/guidance.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "models/diffusion/preview.hpp"
#include "models/diffusion/test_videos.hpp"

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

TEST(Guidance, branches_that_are_apart_run_on_two_threads_and_their_errors_come_when_both_are_done) {
  const c10::InferenceMode inference;
  std::array<std::thread::id, 2> threads;
  const auto predict = [&](std::size_t i) {
    threads.at(i) = std::this_thread::get_id();
    EXPECT_TRUE(c10::InferenceMode::is_enabled());
    return at::full({1}, static_cast<double>(i));
  };
  for (const bool apart : {false, true}) {
    const auto [first, second] = both_branches(apart, predict);
    EXPECT_EQ(first.item<float>(), 0);
    EXPECT_EQ(second.item<float>(), 1);
    EXPECT_EQ(threads[0], std::this_thread::get_id());
    EXPECT_EQ(threads[0] != threads[1], apart);
  }
  for (const std::size_t broken : {0, 1}) {
    std::atomic<int> ended = 0;
    const auto fails = [&](std::size_t i) {
      ++ended;
      if (i == broken) throw std::runtime_error("no memory");
      return at::full({1}, 1.0);
    };
    EXPECT_THROW(both_branches(true, fails), std::runtime_error);
    EXPECT_EQ(ended, 2);
  }
}

// The numbers of a part of the steps: pipe_wan21_guidance_part and pipe_wan22_guidance_part, by diffusers.
TEST(GuidanceOfAPartOfTheSteps, none_is_a_run_without_guidance_all_the_default_and_a_part_neither) {
  for (const std::string_view device : {"", "cpu"})
    for (const char* name : {"pipe_wan21_t2v", "pipe_ltx_090"}) {
      const auto pipeline = load_pipeline(testing::golden_model(name), {.guidance_device = std::string(device)});
      const auto video = [&](double scale, double start, double end) {
        auto request = testing::small_video(testing::golden_model(name));
        request.steps = 4;
        request.guidance_scale = scale;
        request.guidance_start = start;
        request.guidance_end = end;
        return pipeline->run(request).pictures.back().pixels;
      };
      const auto plain = video(1, 0, 1), guided = video(5, 0, 1), part = video(5, 0, 0.5), later = video(5, 0.5, 1);
      EXPECT_EQ(video(5, 0.3, 0.3), plain) << name;
      EXPECT_EQ(video(5, 0, 0.2), plain) << name;  // int(4 x 0.2) = 0
      EXPECT_NE(part, plain) << name;
      EXPECT_NE(part, guided) << name;
      EXPECT_NE(part, later) << name;
      EXPECT_EQ(video(5, 0.1, 0.74), part) << name;  // int(2.96) = 2
    }
}

// Two CPUs stand for two GPUs: the same video, but for rounding where LTX-Video otherwise predicts both in one pass.
class GuidanceApart : public ::testing::TestWithParam<const char*> {};

TEST_P(GuidanceApart, makes_the_same_video) {
  const auto folder = testing::golden_model(GetParam());
  auto request = testing::small_video(folder);
  request.guidance_scale = 4;
  const int rounding = std::string_view(GetParam()).starts_with("pipe_ltx") ? 1 : 0;
  for (const auto residency : {Residency::whole, Residency::block_by_block}) {
    const auto together = load_pipeline(folder, {.residency = residency})->run(request);
    const auto pipeline = load_pipeline(folder, {.guidance_device = "cpu", .residency = residency});
    EXPECT_LE(testing::worst_difference(pipeline->run(request), together), rounding);
    request.step_cache = 1;  // each branch has its own
    EXPECT_GT(pipeline->run(request).shortened, 0);
    request.step_cache.reset();
    EXPECT_EQ(std::ranges::count(pipeline->components(), "transformer", &ComponentState::name), 2);
  }
}
INSTANTIATE_TEST_SUITE_P(Golden, GuidanceApart, ::testing::ValuesIn(testing::kGoldenVideos),
                         [](const auto& info) { return std::string(info.param); });

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
