#include "models/unet/sampling.hpp"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace kinora::models::unet {

Downsample::Downsample(const nn::Weights& w, std::int64_t channels, std::int64_t padding)
    : conv(w / "conv", channels, channels, 3, 2, padding) {}

at::Tensor Downsample::operator()(const at::Tensor& x) const {
  return conv.padding == 0 ? conv(at::constant_pad_nd(x, {0, 1, 0, 1})) : conv(x);
}

Upsample::Upsample(const nn::Weights& w, std::int64_t channels) : conv(w / "conv", channels, channels, 3, 1, 1) {}

at::Tensor Upsample::operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const {
  return conv(at::upsample_nearest2d(x, {height, width}));
}

}  // namespace kinora::models::unet
