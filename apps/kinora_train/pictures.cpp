#include "kinora_train/pictures.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/reflection_pad2d.h>

#include <cmath>

#include "kinora_train/error.hpp"
#include "media/rgb.hpp"

namespace kinora::train {
namespace {

// Share of film grain and sensor noise that is common to the three channels, by deviation.
constexpr double kSharedNoise = 0.8;

media::RgbView view_of(const at::Tensor& rgb) {
  if (rgb.dim() != 3 || rgb.size(0) != 3 || !rgb.is_contiguous()) throw Failure("a picture tensor must be contiguous [3, H, W]");
  media::RgbView view;
  view.data = const_cast<void*>(rgb.const_data_ptr());
  if (rgb.scalar_type() == at::kByte)
    view.type = media::RgbType::planar_u8;
  else if (rgb.scalar_type() == at::kFloat)
    view.type = media::RgbType::planar_f32;
  else
    throw Failure("a picture tensor must be uint8 or float");
  view.height = static_cast<int>(rgb.size(1));
  view.width = static_cast<int>(rgb.size(2));
  return view;
}

}  // namespace

at::Tensor rgb_of(const media::Frame& frame) {
  at::Tensor rgb = at::empty({3, frame.height(), frame.width()}, at::kByte);
  media::RgbConverter converter;
  take(converter.to_rgb(frame, view_of(rgb)));
  return rgb;
}

media::Frame frame_of(const at::Tensor& rgb, const media::ColorTags& tags, int matrix_width, int matrix_height) {
  const at::Tensor tight = rgb.contiguous();
  media::RgbConverter converter;
  media::Frame frame = take(converter.to_frame(view_of(tight), media::PixelFormat::yuv420p, tags, matrix_width, matrix_height));
  frame.set_color(tags);
  return frame;
}

at::Tensor luma(const at::Tensor& rgb) { return rgb.select(-3, 0) * 0.299 + rgb.select(-3, 1) * 0.587 + rgb.select(-3, 2) * 0.114; }

at::Tensor shrunk(const at::Tensor& rgb, std::int64_t height, std::int64_t width) {
  at::Tensor from = rgb.to(at::kFloat);
  if (from.size(1) == height && from.size(2) == width) return from;
  return at::_upsample_bicubic2d_aa(from.unsqueeze(0), {height, width}, /*align_corners=*/false).squeeze(0).clamp(0, 255);
}

at::Tensor blurred(const at::Tensor& rgb, double sigma) {
  if (sigma <= 0) return rgb;
  const auto radius = static_cast<std::int64_t>(std::ceil(3 * sigma));
  const at::Tensor offsets = at::arange(-radius, radius + 1, at::kFloat);
  at::Tensor weights = at::exp(offsets * offsets / (-2 * sigma * sigma));
  weights = weights / weights.sum();
  at::Tensor x = at::reflection_pad2d(rgb.unsqueeze(1), {radius, radius, radius, radius});
  x = at::conv2d(x, weights.view({1, 1, 1, -1}));
  return at::conv2d(x, weights.view({1, 1, -1, 1})).squeeze(1);
}

at::Tensor noisy(const at::Tensor& rgb, double deviation, std::uint64_t seed) {
  if (deviation <= 0) return rgb;
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const at::Tensor shared = at::randn({1, rgb.size(1), rgb.size(2)}, generator, at::kFloat);
  const at::Tensor separate = at::randn({3, rgb.size(1), rgb.size(2)}, generator, at::kFloat);
  return rgb + (shared * kSharedNoise + separate * std::sqrt(1 - kSharedNoise * kSharedNoise)) * deviation;
}

at::Tensor to_bytes(const at::Tensor& rgb) { return rgb.round().clamp(0, 255).to(at::kByte).contiguous(); }

double detail(const at::Tensor& rgb) {
  const at::Tensor y = luma(rgb.to(at::kFloat));
  const at::Tensor across = (y.slice(1, 1) - y.slice(1, 0, -1)).abs().mean();
  const at::Tensor down = (y.slice(0, 1) - y.slice(0, 0, -1)).abs().mean();
  return (across + down).item<double>() / 2;
}

}  // namespace kinora::train
