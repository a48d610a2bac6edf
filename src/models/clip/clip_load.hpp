#pragma once
// Loads CLIP's towers from component folders (config.json and weights) of a repository. Errors: nn::LoadError.
#include <filesystem>
#include <memory>

#include "models/clip/clip_text.hpp"
#include "models/clip/clip_vision.hpp"
#include "nn/weights.hpp"

namespace kinora::models::clip {

template <typename Model>
struct Loaded {
  std::shared_ptr<const Model> model;
  nn::Parameters parameters;  // the model's weights by name, for adapters
};

// Weights are found with and without the leading "text_model." ("vision_model."); parameters always carry it.
Loaded<TextModel> load_text_model(const std::filesystem::path& folder, const nn::Placement& placement);
Loaded<VisionModel> load_vision_model(const std::filesystem::path& folder, const nn::Placement& placement);

}  // namespace kinora::models::clip
