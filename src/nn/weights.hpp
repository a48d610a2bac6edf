#pragma once
// Where a network's weights come from while it is built. A network takes each of its weights by name and shape from a scope of the
// checkpoint; what is missing, superfluous or of another shape is collected meanwhile and reported at once by finish():
//
//   nn::WeightLoad load(nn::open_checkpoint(model / "unet"), {.device = c10::kCPU, .dtype = at::kFloat});
//   const UNet2DCondition unet(config, load.root());   // inside: weights / "conv_in", .take("weight", {320, 4, 3, 3})
//   nn::Parameters parameters = load.finish();          // throws LoadError naming the first ten differences
//
// One thread. The scopes must not outlive the load.
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nn/checkpoint.hpp"

namespace kinora::nn {

// The weights of a built network by name. The handles share their TensorImpl with the layers, so that a weight can be exchanged under a
// network that stands, as adapters do.
using Parameters = std::map<std::string, at::Tensor>;
// Exchanges one: the handle, wherever it is held, gets the memory of `value`.
void exchange(const at::Tensor& handle, const at::Tensor& value);

struct Placement {
  c10::Device device = c10::kCPU;
  std::optional<at::ScalarType> dtype = std::nullopt;  // of floating weights; nullopt: as stored
  bool channels_last = false;                          // memory order of 4- and 5-dimensional weights
  std::string staged{};                                // weights whose names begin so stay where they are stored (WeightLoad::staged())
};

// Weights that were left where they are stored, by name: each call gives one, on the CPU and as it is stored.
using Staged = std::map<std::string, std::function<at::Tensor()>>;

class WeightLoad;

// A scope of a checkpoint: a prefix. Cheap to copy.
class Weights {
 public:
  Weights operator/(std::string_view name) const;  // "down_blocks" -> "down_blocks."
  Weights operator/(std::int64_t index) const;     // 0 -> "0."
  // The weight of this scope, moved to the load's placement. When it is missing or has another shape, that is noted and a tensor of the
  // wanted shape without memory (meta device) is returned, so that the construction can go on.
  at::Tensor take(std::string_view name, const std::vector<std::int64_t>& shape) const;
  // take() of a matrix for a layer that can use blocks of a GGUF file (gguf/packed.hpp): where the checkpoint holds such, they are what it
  // gets.
  at::Tensor take_matrix(std::string_view name, const std::vector<std::int64_t>& shape) const;
  // take() if the checkpoint has it, else an undefined tensor: for weights that an architecture may or may not have.
  at::Tensor take_if_there(std::string_view name, const std::vector<std::int64_t>& shape) const;
  bool has(std::string_view name) const;
  // Shape of a stored weight, for sizes that are in no config; empty when absent.
  std::vector<std::int64_t> shape(std::string_view name) const;
  const std::string& prefix() const { return prefix_; }  // "" or "down_blocks.0."
  // The same scope, its floating weights in float32 whatever the load's type: for parts that 16 bits are too coarse for.
  Weights wide() const {
    Weights scope = *this;
    scope.wide_ = true;
    return scope;
  }

 private:
  friend class WeightLoad;
  Weights(WeightLoad* load, std::string prefix) : load_(load), prefix_(std::move(prefix)) {}
  WeightLoad* load_;
  std::string prefix_;
  bool wide_ = false;
};

class WeightLoad {
 public:
  // The whole component, under the names that the architecture gives its tensors; each is read when it is taken.
  WeightLoad(Checkpoint checkpoint, Placement placement);
  WeightLoad(const TensorMap& tensors, Placement placement, std::string file);  // file is for messages
  // A dry run without a checkpoint: every take() succeeds with a tensor without memory (meta device). finish() then lists the
  // architecture's weights and their shapes.
  static WeightLoad shapes_only();

  Weights root() { return {this, ""}; }
  // A weight that the file may hold and no one takes ("text_model.embeddings.position_ids"): not unexpected.
  void ignore(std::string_view name) { ignored_.emplace(name); }
  // Throws LoadError when weights are missing, unexpected or of the wrong shape. Afterwards the load is empty.
  Parameters finish();
  // Once: the weights that Placement::staged told to leave. Their handles in the network have the shape and type that they are used in,
  // and no memory (meta device): whoever brings them exchanges the handles (exchange()).
  Staged staged() { return std::move(staged_); }

 private:
  friend class Weights;
  WeightLoad() = default;
  struct Want {
    std::vector<std::int64_t> shape;
    bool wide = false, blocks = false;  // in float32; as the blocks of a GGUF file, if it is stored so
  };
  at::Tensor take(const std::string& name, const Want& want);

  Checkpoint checkpoint_;
  Placement placement_;
  bool shapes_only_ = false;
  WeightShapes needed_;
  Parameters taken_;
  Staged staged_;
  std::set<std::string> ignored_;
};

}  // namespace kinora::nn
