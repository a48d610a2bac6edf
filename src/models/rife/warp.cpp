#include "models/rife/warp.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/stack.h>

#include <algorithm>

namespace kinora::models::rife {
namespace {

constexpr int kBilinear = 0, kBorder = 1;  // of grid_sampler
constexpr std::int64_t kGrainRows = 4;

// Through LibTorch: every device, and for training.
at::Tensor sampled(const at::Tensor& picture, const at::Tensor& flow) {
  const std::int64_t height = picture.size(2), width = picture.size(3);
  const auto options = flow.options();
  // A side of one pixel has no extent to normalise by; any coordinate gives its only pixel.
  const auto normalised = [](const at::Tensor& pixels, std::int64_t side) {
    return side > 1 ? pixels.mul(2.0 / static_cast<double>(side - 1)).sub(1) : pixels.mul(0);
  };
  const auto x = normalised(at::arange(width, options).view({1, 1, width}).add(flow.select(1, 0)), width);
  const auto y = normalised(at::arange(height, options).view({1, height, 1}).add(flow.select(1, 1)), height);
  return at::grid_sampler_2d(picture.to(at::kFloat), at::stack({x, y}, 3), kBilinear, kBorder, /*align_corners=*/true)
      .to(picture.scalar_type());
}

// One row of flow: x and y of a pixel, `step` values apart from those of the next.
struct Arrows {
  const float* x;
  const float* y;
  std::int64_t step;
};

// One row: `channels` values a pixel, side by side. Channels known to the compiler make it a handful of vector instructions a pixel.
template <int kChannels>
void warp_row(const float* picture, const Arrows& flow, float* out, std::int64_t y, std::int64_t height, std::int64_t width) {
  const auto last_x = static_cast<float>(width - 1), last_y = static_cast<float>(height - 1);
  for (std::int64_t x = 0; x < width; ++x, out += kChannels) {
    const float at_x = std::clamp(static_cast<float>(x) + flow.x[x * flow.step], 0.0F, last_x);
    const float at_y = std::clamp(static_cast<float>(y) + flow.y[x * flow.step], 0.0F, last_y);
    const auto left = static_cast<std::int64_t>(at_x), top = static_cast<std::int64_t>(at_y);
    const std::int64_t right = std::min(left + 1, width - 1), bottom = std::min(top + 1, height - 1);
    const float right_share = at_x - static_cast<float>(left), bottom_share = at_y - static_cast<float>(top);
    const float a = (1 - right_share) * (1 - bottom_share), b = right_share * (1 - bottom_share);
    const float c = (1 - right_share) * bottom_share, d = right_share * bottom_share;
    const float* from_a = picture + (top * width + left) * kChannels;
    const float* from_b = picture + (top * width + right) * kChannels;
    const float* from_c = picture + (bottom * width + left) * kChannels;
    const float* from_d = picture + (bottom * width + right) * kChannels;
    for (int i = 0; i < kChannels; ++i) out[i] = a * from_a[i] + b * from_b[i] + c * from_c[i] + d * from_d[i];
  }
}

template <int kChannels>
at::Tensor gathered(const at::Tensor& picture, const at::Tensor& flow) {
  const std::int64_t height = picture.size(2), width = picture.size(3);
  const auto source = picture.contiguous(at::MemoryFormat::ChannelsLast);
  auto out = at::empty_like(source);
  const auto* from = static_cast<const float*>(source.const_data_ptr());
  const auto* arrows = static_cast<const float*>(flow.const_data_ptr());
  auto* to = static_cast<float*>(out.mutable_data_ptr());
  at::parallel_for(0, picture.size(0) * height, kGrainRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t batch = row / height, y = row % height;
      const float* begin_x = arrows + batch * flow.stride(0) + y * flow.stride(2);
      warp_row<kChannels>(from + batch * height * width * kChannels, {begin_x, begin_x + flow.stride(1), flow.stride(3)},
                          to + row * width * kChannels, y, height, width);
    }
  });
  return out;
}

}  // namespace

at::Tensor warp(const at::Tensor& picture, const at::Tensor& flow) {
  const bool learning = at::GradMode::is_enabled() && (picture.requires_grad() || flow.requires_grad());
  if (!learning && picture.is_cpu() && picture.scalar_type() == at::kFloat && flow.scalar_type() == at::kFloat) {
    if (picture.size(1) == 3) return gathered<3>(picture, flow);
    if (picture.size(1) == 7) return gathered<7>(picture, flow);
  }
  return sampled(picture, flow);
}

}  // namespace kinora::models::rife
