#pragma once
// The weights of a model in whichever form they were published, as one table of names, element types and shapes whose tensors are read
// when asked for. Files are mapped: a tensor costs memory of its own only where the file's layout does not allow to use it in place.
//
//   const auto checkpoint = nn::open_checkpoint(model / "unet");
//   nn::WeightLoad load(checkpoint, {.device = c10::kCPU, .dtype = at::kFloat});
//
// Errors: LoadError naming file and tensor. A Checkpoint is a value: any thread, cheap to copy per tensor; it keeps its files mapped, and
// they must not shrink meanwhile.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nn/dtype.hpp"
#include "nn/tensor_map.hpp"
#include "nn/weight_check.hpp"

namespace kinora::nn {

struct StoredTensor {
  Dtype dtype = Dtype::f32;          // of what read() gives
  std::vector<std::int64_t> shape;   // empty: a scalar
  std::function<at::Tensor()> read;  // on the CPU; writing to it reaches neither the file nor another process
  // Of a matrix that a GGUF file holds in blocks of small integers: these, in place (gguf/packed.hpp). read() gives the numbers.
  std::function<at::Tensor()> packed{};

  std::uint64_t bytes() const;  // as it is stored
};

struct Checkpoint {
  std::string file;  // for messages
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;  // of a safetensors file

  TensorMap read() const;  // all tensors
  WeightShapes shapes() const;
};

// path: a checkpoint file (told by its content, not its name), a shard index (.json), or a component folder (find_weights gives the file
// for `variant`). Names are as stored, except what every reader of these files does: "position_ids" buffers of old text encoders are
// left out, and the attention of old VAEs (query, key, value, proj_attn) gets the names of today (to_q, to_k, to_v, to_out.0).
Checkpoint open_checkpoint(const std::filesystem::path& path, const std::optional<std::string>& variant = std::nullopt);

// A checkpoint of tensors at hand.
Checkpoint make_checkpoint(const TensorMap& tensors, std::string file);

}  // namespace kinora::nn
