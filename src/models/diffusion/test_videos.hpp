#pragma once
// Small videos of the golden pipelines, for tests that make one video in two ways. Internal to this folder's tests.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "models/pipeline.hpp"

namespace kinora::models::diffusion::testing {

// Every family and form of Wan and LTX-Video.
inline constexpr const char* kGoldenVideos[] = {"pipe_wan21_t2v", "pipe_wan21_i2v", "pipe_wan22_a14b", "pipe_wan22_ti2v_t2v",
                                                "pipe_ltx_090"};

inline std::filesystem::path golden_model(const std::string& name) {
  return std::filesystem::path(KINORA_SOURCE_DIR) / "tests/golden" / name / "model";
}

// 9 frames of 64 x 64 pixels in the first of the model's tasks, from a grey picture where it takes one.
inline GenerationRequest small_video(const std::filesystem::path& folder) {
  GenerationRequest request{
      .task = describe_pipeline(folder).tasks.front(), .prompts = {"the monkey dances"}, .negative_prompts = {"blurry"}, .seeds = {7}};
  request.width = request.height = 64;
  request.frames = 9;
  request.steps = 3;
  request.max_sequence_length = 16;
  if (request.task == Task::image_to_video)
    request.picture = RgbPicture{.width = 64, .height = 64, .pixels = std::vector<std::uint8_t>(64 * 64 * 3, 90)};
  return request;
}

// Of any value of any frame, in levels; 256: they have not as many frames and pixels.
inline int worst_difference(const GenerationResult& a, const GenerationResult& b) {
  if (a.pictures.size() != b.pictures.size()) return 256;
  int worst = 0;
  for (std::size_t i = 0; i < a.pictures.size(); ++i) {
    const auto &x = a.pictures[i].pixels, &y = b.pictures[i].pixels;
    if (x.size() != y.size()) return 256;
    for (std::size_t k = 0; k < x.size(); ++k) worst = std::max(worst, std::abs(x[k] - y[k]));
  }
  return worst;
}

}  // namespace kinora::models::diffusion::testing
