#include "models/rife/scene.hpp"

#include <ATen/ops/_adaptive_avg_pool2d.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/histc.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/replication_pad3d.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <algorithm>

namespace kinora::models::rife {
namespace {

constexpr std::int64_t kSide = 32, kRadius = 5, kBlock = 16;
constexpr double kDeviation = 1.5, kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;

// [1, 1, 11, 11, 11], sums to 1.
at::Tensor gaussian(const at::TensorOptions& options) {
  const auto off = at::arange(-kRadius, kRadius + 1, options);
  const auto line = at::exp(off.mul(off).div(-2 * kDeviation * kDeviation));
  const auto one = line.div(line.sum());
  return one.view({1, 1, -1, 1, 1}).mul(one.view({1, 1, 1, -1, 1})).mul(one.view({1, 1, 1, 1, -1}));
}

at::Tensor luma_64x36(const at::Tensor& rgb) {
  const auto weights = at::tensor({0.299F, 0.587F, 0.114F}).to(rgb.device()).view({1, 3, 1, 1});
  return at::_adaptive_avg_pool2d(rgb.mul(weights).sum({1}, /*keepdim=*/true), {36, 64});
}

}  // namespace

double structural_similarity(const at::Tensor& a, const at::Tensor& b) {
  const auto window = gaussian(a.options());
  const auto small = [](const at::Tensor& x) { return at::upsample_bilinear2d(x, {kSide, kSide}, /*align_corners=*/false).unsqueeze(1); };
  const auto smoothed = [&](const at::Tensor& x) {
    return at::conv3d(at::replication_pad3d(x, {kRadius, kRadius, kRadius, kRadius, kRadius, kRadius}), window);
  };
  const auto x = small(a), y = small(b);
  const auto mean_x = smoothed(x), mean_y = smoothed(y);
  const auto xx = at::sub(smoothed(x.mul(x)), mean_x.mul(mean_x)), yy = at::sub(smoothed(y.mul(y)), mean_y.mul(mean_y));
  const auto xy = at::sub(smoothed(x.mul(y)), mean_x.mul(mean_y));
  const auto top = mean_x.mul(mean_y).mul(2).add(kC1).mul(xy.mul(2).add(kC2));
  const auto bottom = at::add(mean_x.mul(mean_x), mean_y.mul(mean_y)).add(kC1).mul(at::add(xx, yy).add(kC2));
  return top.div(bottom).mean().item<double>();
}

double tone_difference(const at::Tensor& a, const at::Tensor& b) {
  const auto x = luma_64x36(a), y = luma_64x36(b);
  const auto histogram = [](const at::Tensor& luma) { return at::histc(luma, 16, 0, 1).div(static_cast<double>(luma.numel())); };
  const auto p = histogram(x), q = histogram(y), off = at::sub(p, q);
  return at::abs(at::sub(x, y)).mean().item<double>() + off.mul(off).div(at::add(p, q).add(1e-9)).sum().item<double>() / 2;
}

double largest_block_difference(const at::Tensor& a, const at::Tensor& b) {
  const auto off = at::abs(at::sub(a, b)).mean({1}, /*keepdim=*/true);
  const std::int64_t height = std::min(kBlock, off.size(2)), width = std::min(kBlock, off.size(3));
  return at::max(at::avg_pool2d(off, {height, width}, {height, width}, 0, /*ceil_mode=*/true)).item<double>() * 255;
}

Change judge_change(const at::Tensor& before, const at::Tensor& after) {
  if (largest_block_difference(before, after) < kRepeatDifference) return Change::none;
  if (tone_difference(before, after) > kCutDifference || structural_similarity(before, after) < kCutSimilarity) return Change::cut;
  return Change::moved;
}

}  // namespace kinora::models::rife
