#pragma once
// Everything that a training run needs to go on as if it had not stopped, in one safetensors file. Throws Failure or nn::LoadError.
#include <cstdint>
#include <filesystem>

#include "nn/tensor_map.hpp"

namespace kinora::train {

struct Checkpoint {
  nn::TensorMap weights, average, adam;
  std::int64_t step = 0;  // updates done
  double elapsed_s = 0;   // training time so far
  std::uint64_t seed = 0;
};

// Complete or not at all (written beside and renamed).
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
Checkpoint load_checkpoint(const std::filesystem::path& path);

}  // namespace kinora::train
