#include "nn/pixels/interpolate.hpp"

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/_upsample_nearest_exact2d.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>

namespace kinora::nn {
namespace {

struct Blur {
  std::int64_t size;  // odd
  at::Tensor weights;
};

Blur gaussian(std::int64_t in, std::int64_t out, const at::TensorOptions& options) {
  const double sigma = std::max((static_cast<double>(in) / static_cast<double>(out) - 1) / 2, 0.001);
  const auto size = static_cast<std::int64_t>(std::max(4 * sigma, 3.0)) | 1;
  const auto x = at::arange(size, options).sub(size / 2);
  // sigma squared as the reference has it: rounded to the picture's type before
  const auto rounded = static_cast<double>(static_cast<float>(sigma));
  const auto weights = x.square().neg().div(static_cast<float>(2 * static_cast<float>(rounded * rounded))).exp();
  return {size, weights.div(weights.sum())};
}

}  // namespace

at::Tensor interpolate(const at::Tensor& x, std::int64_t height, std::int64_t width, Interpolation mode, InterpolationOptions options) {
  const std::vector<std::int64_t> size{height, width};
  switch (mode) {
    case Interpolation::nearest: return at::upsample_nearest2d(x, size);
    case Interpolation::nearest_exact: return at::_upsample_nearest_exact2d(x, size);
    case Interpolation::area: return at::adaptive_avg_pool2d(x, size);
    case Interpolation::bilinear:
      return options.antialias ? at::_upsample_bilinear2d_aa(x, size, options.align_corners)
                               : at::upsample_bilinear2d(x, size, options.align_corners);
    case Interpolation::bicubic:
      return options.antialias ? at::_upsample_bicubic2d_aa(x, size, options.align_corners)
                               : at::upsample_bicubic2d(x, size, options.align_corners);
  }
  return x;
}

at::Tensor resize_with_antialiasing(const at::Tensor& x, std::int64_t height, std::int64_t width) {
  const auto across = gaussian(x.size(3), width, x.options()), down = gaussian(x.size(2), height, x.options());
  const auto planes = x.reshape({-1, 1, x.size(2), x.size(3)});
  const auto blurred_across =
      at::conv2d(at::reflection_pad2d(planes, {across.size / 2, across.size / 2, 0, 0}), across.weights.view({1, 1, 1, -1}));
  const auto blurred =
      at::conv2d(at::reflection_pad2d(blurred_across, {0, 0, down.size / 2, down.size / 2}), down.weights.view({1, 1, -1, 1}));
  return interpolate(blurred.view(x.sizes()), height, width, Interpolation::bicubic, {.align_corners = true});
}

}  // namespace kinora::nn
