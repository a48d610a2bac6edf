#include "nn/pixels/image_processor.hpp"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <stdexcept>

#include "nn/pixels/interpolate.hpp"

namespace kinora::nn {
namespace {

constexpr std::int64_t kMaxProcessedSide = 4096;

void check_rgb(const at::Tensor& picture) {
  if (picture.dim() != 3 || picture.size(2) != 3 || picture.scalar_type() != at::kByte || !picture.is_cpu() || picture.numel() == 0)
    throw std::invalid_argument("a picture must be 8-bit RGB, [height, width, 3], on the CPU");
}

std::array<double, 3> three(const JsonConfig& config, const char* member, double fallback) {
  const auto values = config.numbers(member, {fallback, fallback, fallback});
  if (values.size() != 3) config.refuse(member, "must hold three numbers");
  return {values[0], values[1], values[2]};
}

at::Tensor column(const std::array<double, 3>& values) { return at::tensor(values, at::kFloat).view({3, 1, 1}); }

}  // namespace

// "size": 224 stands for the shorter side, {"shortest_edge": 224} likewise; {"height": .., "width": ..} for both.
ImageProcessor::Size ImageProcessor::read_size(const JsonConfig& config, const char* member, std::optional<std::int64_t>* shortest) {
  if (config.json().contains(member) && config.json().at(member).is_number()) {
    const auto side = config.integer(member, 0, 1, kMaxProcessedSide);
    if (shortest != nullptr) *shortest = side;
    return {side, side};
  }
  const auto object = config.object(member);
  if (shortest != nullptr && object.has("shortest_edge")) {
    *shortest = object.integer("shortest_edge", 0, 1, kMaxProcessedSide);
    return {0, 0};
  }
  if (!object.has("height") || !object.has("width")) config.refuse(member, "must have height and width");
  return {object.integer("height", 0, 1, kMaxProcessedSide), object.integer("width", 0, 1, kMaxProcessedSide)};
}

ImageProcessor ImageProcessor::read(const JsonConfig& config) {
  ImageProcessor processor;
  if (config.flag("do_resize", false)) {
    const auto size = read_size(config, "size", &processor.shortest_edge_);
    if (!processor.shortest_edge_) processor.size_ = size;
  }
  if (config.flag("do_center_crop", false)) processor.crop_ = read_size(config, "crop_size", nullptr);
  processor.filter_ = static_cast<Filter>(config.integer("resample", 3, 0, 5));
  if (config.flag("do_rescale", true)) processor.rescale_ = config.number("rescale_factor", 1.0 / 255);
  if (processor.rescale_ && !(*processor.rescale_ > 0)) config.refuse("rescale_factor", "must be above 0");
  if (config.flag("do_normalize", true)) processor.mean_std_ = {three(config, "image_mean", 0), three(config, "image_std", 1)};
  if (processor.mean_std_)
    for (const double deviation : processor.mean_std_->at(1))
      if (!(deviation > 0)) config.refuse("image_std", "must be above 0");
  return processor;
}

at::Tensor ImageProcessor::resized(const at::Tensor& picture) const {
  const auto height = picture.size(0), width = picture.size(1);
  auto to = size_.value_or(Size{height, width});
  if (shortest_edge_) {
    const auto longer = [&](std::int64_t a, std::int64_t b) {
      return static_cast<std::int64_t>(static_cast<double>(*shortest_edge_ * a) / static_cast<double>(b));
    };
    to = height <= width ? Size{*shortest_edge_, longer(width, height)} : Size{longer(height, width), *shortest_edge_};
  }
  auto planes = picture.permute({2, 0, 1}).unsqueeze(0);
  if (to.height == height && to.width == width) return planes;
  if (std::max(to.height, to.width) > kMaxPictureSide) throw std::invalid_argument("the picture is too narrow to be resized");
  // For these two the reference resizes by LibTorch, whose 8-bit sums differ from Pillow's by one level at times.
  if (filter_ == Filter::bicubic || filter_ == Filter::bilinear) {
    const auto mode = filter_ == Filter::bicubic ? Interpolation::bicubic : Interpolation::bilinear;
    return interpolate(planes, to.height, to.width, mode, {.antialias = true});
  }
  return pillow_resize(picture, to.height, to.width, filter_).permute({2, 0, 1}).unsqueeze(0);
}

at::Tensor ImageProcessor::operator()(const at::Tensor& picture) const {
  check_rgb(picture);
  auto x = resized(picture);
  if (crop_) {
    const auto [height, width] = *crop_;
    const auto down = std::max<std::int64_t>(height - x.size(2), 0), across = std::max<std::int64_t>(width - x.size(3), 0);
    if (down > 0 || across > 0) x = at::constant_pad_nd(x, {across / 2, (across + 1) / 2, down / 2, (down + 1) / 2});
    x = x.narrow(2, (x.size(2) - height) / 2, height).narrow(3, (x.size(3) - width) / 2, width);
  }
  x = x.to(at::kFloat);
  if (mean_std_) {  // both steps at once, as the reference rounds
    const float factor = static_cast<float>(rescale_ ? 1.0 / *rescale_ : 1.0);
    return x.sub(column(mean_std_->at(0)).mul(factor)).div(column(mean_std_->at(1)).mul(factor));
  }
  return rescale_ ? x.mul(*rescale_) : x.contiguous();
}

at::Tensor ImageProcessor::normalized(const at::Tensor& x) const {
  if (!mean_std_) return x;
  const auto as_x = [&](const std::array<double, 3>& values) { return column(values).to(x.options()); };
  return x.sub(as_x(mean_std_->at(0))).div(as_x(mean_std_->at(1)));
}

at::Tensor picture_to_latent_range(const at::Tensor& picture, std::int64_t height, std::int64_t width) {
  check_rgb(picture);
  return pillow_resize(picture, height, width, Filter::lanczos)
      .permute({2, 0, 1})
      .unsqueeze(0)
      .to(at::kFloat)
      .div(255)
      .mul(2)
      .sub(1)
      .contiguous();
}

at::Tensor latent_range_to_floats(const at::Tensor& x) {
  return x.mul(0.5).add(0.5).clamp(0, 1).to(at::kFloat).cpu().permute({0, 2, 3, 1}).contiguous();
}

at::Tensor latent_range_to_pictures(const at::Tensor& x) { return latent_range_to_floats(x).mul(255).round().to(at::kByte); }

at::Tensor mask_from_picture(const at::Tensor& picture, std::int64_t height, std::int64_t width) {
  check_rgb(picture);
  // ITU-R 601 luma in 16-bit fixed point, as Pillow converts to grey.
  const auto wide = picture.to(at::kInt);
  const auto grey = wide.select(2, 0).mul(19595).add(wide.select(2, 1).mul(38470)).add(wide.select(2, 2).mul(7471)).add(0x8000);
  const auto sized = pillow_resize(grey.div(65536, "floor").to(at::kByte).unsqueeze(2), height, width, Filter::lanczos);
  return sized.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).div(255).ge(0.5).to(at::kFloat).contiguous();
}

}  // namespace kinora::nn
