#pragma once
// A network built from a checkpoint. Errors: nn::LoadError.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "nn/checkpoint.hpp"
#include "nn/json_config.hpp"
#include "nn/weights.hpp"

namespace kinora::models {

template <typename Network>
struct Loaded {
  std::shared_ptr<const Network> model;
  nn::Parameters parameters;  // the network's weights by name, for adapters
  nn::Staged staged{};        // those that were left where they are stored (nn::Placement::staged)
};

// Network(config, weights) from the tensors of `checkpoint`; one report of all that do not fit.
template <typename Network, typename Config>
Loaded<Network> load_network(nn::Checkpoint checkpoint, const Config& config, const nn::Placement& placement) {
  nn::WeightLoad load(std::move(checkpoint), placement);
  auto network = std::make_shared<const Network>(config, load.root());
  auto parameters = load.finish();
  return {std::move(network), std::move(parameters), load.staged()};
}

// From a component folder: config.json and the weights beside it, of a variant ("fp16") if wanted.
template <typename Network, typename Config>
Loaded<Network> load_component(const std::filesystem::path& folder, const nn::Placement& placement,
                               const std::optional<std::string>& variant = std::nullopt) {
  const auto config = Config::read(nn::JsonConfig::read(folder / "config.json"));
  return load_network<Network>(nn::open_checkpoint(folder, variant), config, placement);
}

}  // namespace kinora::models
