#include "nn/pixels/pillow_resize.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

namespace kinora::nn {
namespace {

constexpr int kBits = 22;  // of a weight behind the point: 32, less 8 for the pixel and 2 for sums beyond 1

double sinc(double x) { return x == 0 ? 1 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }

double support_of(Filter filter) {
  switch (filter) {
    case Filter::box: return 0.5;
    case Filter::bilinear:
    case Filter::hamming: return 1;
    case Filter::bicubic: return 2;
    default: return 3;  // lanczos
  }
}

double value_of(Filter filter, double x) {
  const double d = std::abs(x);
  switch (filter) {
    case Filter::box: return x > -0.5 && x <= 0.5 ? 1 : 0;
    case Filter::bilinear: return d < 1 ? 1 - d : 0;
    case Filter::hamming: return d == 0 ? 1 : d >= 1 ? 0 : sinc(d) * (0.54 + 0.46 * std::cos(d * std::numbers::pi));
    case Filter::bicubic:
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;  // a = -0.5
      return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    default: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
}

// What one output pixel sums: `count` inputs from `first` on.
struct Taps {
  std::int64_t first, count;
  std::vector<std::int32_t> weights;
};

std::vector<Taps> plan(std::int64_t in, std::int64_t out, Filter filter) {
  const double scale = static_cast<double>(in) / static_cast<double>(out), stretch = std::max(scale, 1.0);
  const double support = support_of(filter) * stretch;
  std::vector<Taps> all;
  for (std::int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(std::trunc(center - support + 0.5)), 0);
    const auto count = std::min(static_cast<std::int64_t>(std::trunc(center + support + 0.5)), in) - first;
    std::vector<double> values;
    double sum = 0;
    for (std::int64_t x = 0; x < count; ++x) {
      values.push_back(value_of(filter, (static_cast<double>(x + first) - center + 0.5) * (1 / stretch)));
      sum += values.back();
    }
    Taps taps{first, count, {}};
    for (const double value : values) {
      const double weight = (sum == 0 ? value : value / sum) * (1 << kBits);
      taps.weights.push_back(static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5));
    }
    all.push_back(std::move(taps));
  }
  return all;
}

std::uint8_t pixel(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255)); }
constexpr std::int32_t kHalf = 1 << (kBits - 1);

template <std::int64_t channels>  // 0: any number
void resize_row(const std::uint8_t* in, std::uint8_t* out, const std::vector<Taps>& plan, std::int64_t any) {
  const std::int64_t c = channels == 0 ? any : channels;
  for (const auto& taps : plan) {
    for (std::int64_t k = 0; k < c; ++k) {
      const auto* from = in + taps.first * c + k;
      std::int32_t sum = kHalf;
      for (std::int64_t x = 0; x < taps.count; ++x) sum += from[x * c] * taps.weights[static_cast<std::size_t>(x)];
      *out++ = pixel(sum);
    }
  }
}

at::Tensor resize_width(const at::Tensor& picture, std::int64_t width, Filter filter) {
  const auto height = picture.size(0), channels = picture.size(2), in_row = picture.size(1) * channels, out_row = width * channels;
  const auto taps = plan(picture.size(1), width, filter);
  auto out = at::empty({height, width, channels}, at::kByte);
  const auto* from = static_cast<const std::uint8_t*>(picture.const_data_ptr());
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  at::parallel_for(0, height, 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto y = begin; y < end; ++y) {
      if (channels == 3)
        resize_row<3>(from + y * in_row, to + y * out_row, taps, channels);
      else
        resize_row<0>(from + y * in_row, to + y * out_row, taps, channels);
    }
  });
  return out;
}

at::Tensor resize_height(const at::Tensor& picture, std::int64_t height, Filter filter) {
  const auto row = picture.size(1) * picture.size(2);
  const auto plans = plan(picture.size(0), height, filter);
  auto out = at::empty({height, picture.size(1), picture.size(2)}, at::kByte);
  const auto* from = static_cast<const std::uint8_t*>(picture.const_data_ptr());
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  at::parallel_for(0, height, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> sums(static_cast<std::size_t>(row));
    for (auto y = begin; y < end; ++y) {
      const auto& taps = plans[static_cast<std::size_t>(y)];
      std::fill(sums.begin(), sums.end(), kHalf);
      for (std::int64_t k = 0; k < taps.count; ++k) {
        const auto* line = from + (taps.first + k) * row;
        const auto weight = taps.weights[static_cast<std::size_t>(k)];
        for (std::int64_t x = 0; x < row; ++x) sums[static_cast<std::size_t>(x)] += line[x] * weight;
      }
      for (std::int64_t x = 0; x < row; ++x) to[y * row + x] = pixel(sums[static_cast<std::size_t>(x)]);
    }
  });
  return out;
}

// The input index of each output index. The step is added up, as Pillow does, so that it rounds alike.
std::vector<std::int64_t> nearest_indices(std::int64_t in, std::int64_t out) {
  const double step = static_cast<double>(in) / static_cast<double>(out);
  std::vector<std::int64_t> indices;
  double position = step * 0.5;
  for (std::int64_t i = 0; i < out; ++i, position += step) indices.push_back(std::min(static_cast<std::int64_t>(position), in - 1));
  return indices;
}

at::Tensor resize_nearest(const at::Tensor& picture, std::int64_t height, std::int64_t width) {
  const auto channels = picture.size(2), in_row = picture.size(1) * channels;
  const auto rows = nearest_indices(picture.size(0), height), columns = nearest_indices(picture.size(1), width);
  auto out = at::empty({height, width, channels}, at::kByte);
  const auto* from = static_cast<const std::uint8_t*>(picture.const_data_ptr());
  auto* to = out.mutable_data_ptr<std::uint8_t>();
  for (const auto y : rows)
    for (const auto x : columns) to = std::copy_n(from + y * in_row + x * channels, channels, to);
  return out;
}

}  // namespace

at::Tensor pillow_resize(const at::Tensor& picture, std::int64_t height, std::int64_t width, Filter filter) {
  const auto fits = [](std::int64_t side) { return side >= 1 && side <= kMaxPictureSide; };
  if (picture.dim() != 3 || picture.scalar_type() != at::kByte || !picture.is_cpu() || picture.size(2) < 1)
    throw std::invalid_argument("a picture must be 8-bit, [height, width, channels], on the CPU");
  if (!fits(height) || !fits(width) || !fits(picture.size(0)) || !fits(picture.size(1)))
    throw std::invalid_argument("the sides of a picture must lie between 1 and " + std::to_string(kMaxPictureSide));
  auto out = picture.contiguous();
  if (filter == Filter::nearest) return resize_nearest(out, height, width);
  const auto rows_lost = out.size(0) - height, columns_lost = out.size(1) - width;
  const bool height_first = rows_lost > 0 && rows_lost > 2 * columns_lost;
  if (height_first) out = resize_height(out, height, filter);
  if (width != out.size(1)) out = resize_width(out, width, filter);
  if (height != out.size(0)) out = resize_height(out, height, filter);
  return out;
}

}  // namespace kinora::nn
