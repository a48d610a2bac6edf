#pragma once
// StableDiffusionSafetyChecker of diffusers (published as CompVis/stable-diffusion-safety-checker): tells pictures that are not safe for
// work by how near their CLIP embeddings are to seventeen stored concepts; being near one of three special ones lowers the bar. Immutable
// after construction: any thread. Errors of loading: nn::LoadError.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <vector>

#include "models/clip/clip_vision.hpp"
#include "models/loaded.hpp"
#include "nn/pixels/image_processor.hpp"

namespace kinora::models::safety {

class SafetyChecker {
 public:
  SafetyChecker(const clip::VisionConfig& vision, nn::ImageProcessor processor, const nn::Weights& w);

  // pictures: uint8 [H, W, 3] -> embeddings [N, projection_dim] of the pictures, float32.
  at::Tensor embed(const std::vector<at::Tensor>& pictures) const;
  // embeddings [N, projection_dim], of any length -> whether each is not safe.
  std::vector<bool> judge(const at::Tensor& embeddings) const;
  std::vector<bool> operator()(const std::vector<at::Tensor>& pictures) const { return judge(embed(pictures)); }

 private:
  clip::VisionModel vision_;
  nn::ImageProcessor processor_;
  at::Tensor concepts_, concept_bars_, special_, special_bars_;
};

// checker: its folder (config.json, weights); processor: the preprocessor_config.json that goes with it.
Loaded<SafetyChecker> load_safety_checker(const std::filesystem::path& checker, const std::filesystem::path& processor,
                                          const nn::Placement& placement);

}  // namespace kinora::models::safety
