#include "models/esrgan/mix_weights.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/mul.h>

namespace kinora::models::esrgan {

nn::TensorMap mix_weights(const nn::TensorMap& a, const nn::TensorMap& b, double strength) {
  nn::TensorMap mixed;
  for (const auto& [name, tensor] : a)
    mixed.emplace(name, at::add(at::mul(tensor.to(at::kFloat), strength), b.at(name).to(at::kFloat), 1 - strength));
  return mixed;
}

}  // namespace kinora::models::esrgan
