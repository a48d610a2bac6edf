#pragma once
// Halving and doubling of a picture's sides between the levels of a network.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/layers.hpp"

namespace kinora::models::unet {

// 3x3 convolution with stride 2. padding 0 stands for one row and column of zeros after the last ones only, as the VAE's encoder does.
struct Downsample {
  nn::Conv2d conv;
  Downsample(const nn::Weights& w, std::int64_t channels, std::int64_t padding);
  at::Tensor operator()(const at::Tensor& x) const;
};

// Nearest-neighbour enlargement to height x width, then a 3x3 convolution.
struct Upsample {
  nn::Conv2d conv;
  Upsample(const nn::Weights& w, std::int64_t channels);
  at::Tensor operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const;
  at::Tensor operator()(const at::Tensor& x) const { return (*this)(x, 2 * x.size(2), 2 * x.size(3)); }
};

}  // namespace kinora::models::unet
