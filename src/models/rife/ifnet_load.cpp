#include "models/rife/ifnet_load.hpp"

#include <algorithm>

#include "nn/load_error.hpp"
#include "nn/model_folder.hpp"

namespace kinora::models::rife {

nn::Checkpoint with_ifnet_names(nn::Checkpoint checkpoint) {
  constexpr std::string_view kPrefix = "module.";
  std::map<std::string, nn::StoredTensor> kept;
  for (auto& [stored, tensor] : checkpoint.tensors) {
    const auto name = stored.starts_with(kPrefix) ? stored.substr(kPrefix.size()) : stored;
    if (name.starts_with("teacher.") || name.starts_with("caltime.")) continue;
    kept.emplace(name, std::move(tensor));
  }
  checkpoint.tensors = std::move(kept);
  return checkpoint;
}

std::vector<double> configured_scales(const nn::ModelFolder& model) {
  const auto found = model.config.find("scale_list");
  if (found == model.config.end()) return {};
  const auto fits = [](const nlohmann::json& scale) {
    return scale.is_number() && (scale == 1 || scale == 2 || scale == 4 || scale == 8 || scale == 16 || scale == 32);
  };
  if (!found->is_array() || !std::all_of(found->begin(), found->end(), fits))
    throw nn::LoadError((model.path / "config.json").string(), "scale_list", "must be a list of 1, 2, 4, 8, 16 or 32 for each block");
  return found->get<std::vector<double>>();
}

LoadedIfnet load_ifnet(const nn::Checkpoint& checkpoint, const nn::Placement& placement, const std::vector<double>& scales) {
  const auto renamed = with_ifnet_names(checkpoint);
  auto config = infer_ifnet_config(renamed.shapes(), renamed.file);
  if (!scales.empty()) {
    if (scales.size() != config.scales.size())
      throw nn::LoadError(renamed.file, "scale_list", "must have as many numbers as the network has blocks");
    config.scales = scales;
  }
  const auto weights = nn::load_weights(renamed, ifnet_shapes(config));
  nn::WeightLoad load(weights, placement, renamed.file);
  LoadedIfnet loaded{.net = IfNet(config, load.root()), .parameters = 0};
  for (const auto& [name, tensor] : load.finish()) loaded.parameters += tensor.numel();
  return loaded;
}

}  // namespace kinora::models::rife
