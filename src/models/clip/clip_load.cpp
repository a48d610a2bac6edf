#include "models/clip/clip_load.hpp"

#include "nn/safetensors.hpp"

namespace kinora::models::clip {
namespace {

// The newest library leaves the tower's name out of its own weights, but not out of the projection's.
nn::TensorMap with_tower_name(nn::TensorMap tensors, const std::string& tower, const std::string& projection) {
  nn::TensorMap named;
  for (auto& [name, tensor] : tensors) {
    const bool complete = name.starts_with(tower + ".") || name.starts_with(projection + ".");
    named.emplace(complete ? name : tower + "." + name, std::move(tensor));
  }
  return named;
}

template <typename Model, typename Config>
Loaded<Model> load(const std::filesystem::path& folder, const nn::Placement& placement, const std::string& tower,
                   const std::string& projection) {
  const auto config = Config::read(nn::JsonConfig::read(folder / "config.json"));
  const auto file = folder / "model.safetensors";
  nn::WeightLoad load(with_tower_name(nn::SafetensorsFile(file).tensors(), tower, projection), placement, file.string());
  load.ignore(tower + ".embeddings.position_ids");  // 0, 1, 2, ...: written until 2023
  auto model = std::make_shared<const Model>(config, load.root());
  return {std::move(model), load.finish()};
}

}  // namespace

Loaded<TextModel> load_text_model(const std::filesystem::path& folder, const nn::Placement& placement) {
  return load<TextModel, TextConfig>(folder, placement, "text_model", "text_projection");
}

Loaded<VisionModel> load_vision_model(const std::filesystem::path& folder, const nn::Placement& placement) {
  return load<VisionModel, VisionConfig>(folder, placement, "vision_model", "visual_projection");
}

}  // namespace kinora::models::clip
