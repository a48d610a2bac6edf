#pragma once
// GEGLU feed-forward: (value, gate) = net.0.proj(x); y = net.2(value * gelu(gate)), gelu by the error function.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/layers.hpp"

namespace kinora::models::unet {

struct FeedForward {
  nn::Linear proj, out;
  FeedForward(const nn::Weights& w, std::int64_t width);  // hidden width: 4 * width
  at::Tensor operator()(const at::Tensor& x) const;       // [.., width] -> the same
};

}  // namespace kinora::models::unet
