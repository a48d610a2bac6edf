#pragma once
// The weights of networks that learn, twice: in float32, which the updates are made to and checkpoints hold, and as the networks compute
// with them ("leaves", perhaps bfloat16), which gradients come from. One thread.
#include <functional>
#include <memory>
#include <string>

#include "models/loaded.hpp"
#include "nn/tensor_map.hpp"

namespace kinora::train {

class Leaves {
 public:
  // A network built from its weights (float32); those that `learns` by name join the others under "PREFIX.", the rest stays as it is.
  template <typename Network, typename Config>
  std::shared_ptr<const Network> build(
      const std::string& prefix, const Config& config, const nn::TensorMap& weights, const nn::Placement& placement,
      const std::function<bool(const std::string&)>& learns = [](const std::string&) { return true; }) {
    auto loaded = models::load_network<Network>(nn::make_checkpoint(weights, prefix), config, placement);
    const std::string stem = prefix + ".";
    for (const auto& [name, leaf] : loaded.parameters)
      if (learns(name)) join(stem + name, weights.at(name), leaf);
    return loaded.model;
  }

  // A network that is a function of its weights (float32): gives those it is to compute with.
  const nn::TensorMap& hold(const nn::TensorMap& weights);

  const nn::TensorMap& weights() const { return weights_; }
  // The leaves' gradients become those of the weights, shortened to `longest` in the Euclidean norm over all; gives the norm before.
  double take_gradients(double longest);
  // The weights, rounded, into the networks.
  void give_weights();
  // Others into both; names and shapes must be the same (Failure).
  void set_weights(const nn::TensorMap& values);

 private:
  void join(const std::string& name, const at::Tensor& weight, const at::Tensor& leaf);

  nn::TensorMap weights_, leaves_;
};

// The tensors whose names begin with "PREFIX.", without it.
nn::TensorMap part_of(const nn::TensorMap& all, const std::string& prefix);

// Random weights for a network: variance 1 / inputs, ones for norms, zeros for biases; what ends a residual way begins small, so that the
// way past it leads at first.
nn::TensorMap random_weights(const nn::Parameters& shapes, std::uint64_t seed);

template <typename Network, typename Config>
nn::TensorMap random_weights_of(const Config& config, std::uint64_t seed) {
  auto load = nn::WeightLoad::shapes_only();
  const Network network(config, load.root());
  return random_weights(load.finish(), seed);
}

}  // namespace kinora::train
