#include "models/clip/clip_load.hpp"

namespace kinora::models::clip {
namespace {

// The newest library leaves the tower's name out of its own weights, but not out of the projection's.
void add_tower_name(nn::Checkpoint& checkpoint, const std::string& tower, const std::string& projection) {
  const std::string tower_stem = tower + ".", projection_stem = projection + ".";
  std::map<std::string, nn::StoredTensor> named;
  for (auto& [name, tensor] : checkpoint.tensors) {
    const bool complete = name.starts_with(tower_stem) || name.starts_with(projection_stem);
    named.emplace(std::string(complete ? "" : tower_stem).append(name), std::move(tensor));
  }
  checkpoint.tensors = std::move(named);
}

template <typename Model, typename Config>
Loaded<Model> load(const Config& config, nn::Checkpoint checkpoint, const nn::Placement& placement, const std::string& tower,
                   const std::string& projection) {
  add_tower_name(checkpoint, tower, projection);
  return load_network<Model>(std::move(checkpoint), config, placement);
}

}  // namespace

Loaded<TextModel> load_text_model(const TextConfig& config, nn::Checkpoint checkpoint, const nn::Placement& placement) {
  return load<TextModel>(config, std::move(checkpoint), placement, "text_model", "text_projection");
}

Loaded<TextModel> load_text_model(const std::filesystem::path& folder, const nn::Placement& placement,
                                  const std::optional<std::string>& variant) {
  return load_text_model(TextConfig::read(nn::JsonConfig::read(folder / "config.json")), nn::open_checkpoint(folder, variant), placement);
}

Loaded<VisionModel> load_vision_model(const VisionConfig& config, nn::Checkpoint checkpoint, const nn::Placement& placement) {
  return load<VisionModel>(config, std::move(checkpoint), placement, "vision_model", "visual_projection");
}

Loaded<VisionModel> load_vision_model(const std::filesystem::path& folder, const nn::Placement& placement,
                                      const std::optional<std::string>& variant) {
  return load_vision_model(VisionConfig::read(nn::JsonConfig::read(folder / "config.json")), nn::open_checkpoint(folder, variant),
                           placement);
}

}  // namespace kinora::models::clip
