#pragma once
// Weights by name, as checkpoints store them ("body.0.weight" -> tensor).
#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace kinora::nn {

using TensorMap = std::map<std::string, at::Tensor>;

}  // namespace kinora::nn
