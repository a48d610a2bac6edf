#pragma once
// Attention among the pixels of a picture, one head, added to it.
#include <ATen/core/Tensor.h>

#include "models/unet/attention.hpp"
#include "nn/layers.hpp"

namespace kinora::models::stable_diffusion {

struct VaeAttention {
  nn::GroupNorm group_norm;
  unet::Attention attention;
  VaeAttention(const nn::Weights& w, std::int64_t channels, std::int64_t groups);
  at::Tensor operator()(const at::Tensor& x) const;  // [B, channels, H, W] -> a new tensor
};

}  // namespace kinora::models::stable_diffusion
