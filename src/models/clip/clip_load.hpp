#pragma once
// Loads CLIP's towers from component folders (config.json and weights) of a repository, or from a checkpoint at hand whose tensors carry
// the names of transformers. Errors: nn::LoadError.
#include <filesystem>
#include <optional>
#include <string>

#include "models/clip/clip_text.hpp"
#include "models/clip/clip_vision.hpp"
#include "models/loaded.hpp"
#include "nn/weights.hpp"

namespace kinora::models::clip {

// Weights are found with and without the leading "text_model." ("vision_model."); parameters always carry it.
// variant: of the weight files ("fp16").
Loaded<TextModel> load_text_model(const std::filesystem::path& folder, const nn::Placement& placement,
                                  const std::optional<std::string>& variant = std::nullopt);
Loaded<TextModel> load_text_model(const TextConfig& config, nn::Checkpoint checkpoint, const nn::Placement& placement);
Loaded<VisionModel> load_vision_model(const std::filesystem::path& folder, const nn::Placement& placement,
                                      const std::optional<std::string>& variant = std::nullopt);
Loaded<VisionModel> load_vision_model(const VisionConfig& config, nn::Checkpoint checkpoint, const nn::Placement& placement);

}  // namespace kinora::models::clip
