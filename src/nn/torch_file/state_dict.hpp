#pragma once
// The tensors of a state dict in a pickle: which dict they are in, and where in the file each one's elements lie. Pure.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nn/torch_file/pickle_value.hpp"

namespace kinora::nn::torch_file {

struct TensorRecord {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape, strides;  // strides in elements, none negative
  std::uint64_t begin = 0;                   // of the first element, from the file's start
};

// Where the bytes of a storage lie in the file.
struct Extent {
  std::uint64_t begin = 0, bytes = 0;
};
using Storages = std::map<std::string_view, Extent>;  // by key

// Every storage that the pickle mentions, by key. Throws when one key has two sizes.
std::map<std::string_view, Storage> mentioned_storages(const Pickle& pickle, std::string_view file);
std::uint64_t bytes_of(const Storage& storage, std::string_view file);

// The state dict is the pickle's value or a dict in it: "params_ema" before "params" (Real-ESRGAN), "state_dict" (trainers, Stable
// Diffusion), "model_state_dict", "model", "module", or the only dict that holds tensors. Values that are no tensors are left out. The
// prefix "module." of a network that was trained on several devices is dropped. Every tensor is seen to lie in its storage, and to have
// no more elements than it.
std::vector<TensorRecord> state_dict(const Pickle& pickle, const Storages& storages, std::string_view file);

}  // namespace kinora::nn::torch_file
