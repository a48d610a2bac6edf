#include "models/esrgan/srvgg_aten.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "models/esrgan/mix_weights.hpp"
#include "models/esrgan/prelu_kernel.hpp"

namespace kinora::models::esrgan {
namespace {

// Pixels that one core takes at a time.
constexpr std::int64_t kGrainPixels = 4096;

std::string key(std::int64_t index, const char* part) { return "body." + std::to_string(index) + "." + part; }

// In place, on channels-last memory, over the cores that LibTorch uses.
void prelu(at::Tensor& y, const std::vector<float>& slopes) {
  const auto channels = y.size(1), pixels = y.size(0) * y.size(2) * y.size(3);
  void* data = y.mutable_data_ptr();
  const bool is_short = y.scalar_type() == at::kBFloat16;
  at::parallel_for(0, pixels, kGrainPixels, [&](std::int64_t begin, std::int64_t end) {
    const auto count = static_cast<std::size_t>(end - begin), width = static_cast<std::size_t>(channels);
    if (is_short)
      prelu_bf16(static_cast<std::uint16_t*>(data) + begin * channels, count, width, slopes);
    else
      prelu_f32(static_cast<float*>(data) + begin * channels, count, width, slopes);
  });
}

}  // namespace

SrvggAten::SrvggAten(SrvggModel model, c10::Device device, at::ScalarType dtype, std::uint64_t memory_bytes)
    : TiledUpscaler({.scale = model.config.upscale,
                     .context = model.config.receptive_radius(),
                     .bytes_per_pixel = srvgg_bytes_per_pixel(model.config, dtype),
                     .macs_per_pixel = model.config.macs_per_pixel()},
                    device, memory_bytes),
      model_(std::move(model)),
      dtype_(dtype) {
  set_denoise(1);
}

bool SrvggAten::set_denoise(double strength) {
  if (strength == denoise_) return true;
  if (strength != 1 && model_.weak_denoise.empty()) return false;
  const c10::InferenceMode inference;
  const auto& config = model_.config;
  const auto mixed = strength == 1 ? model_.weights : mix_weights(model_.weights, model_.weak_denoise, strength);
  weights_.clear();
  slopes_.clear();
  for (const auto& [name, tensor] : mixed) {
    const auto moved = tensor.to(device(), dtype_);
    weights_.emplace(name, moved.dim() == 4 ? moved.contiguous(at::MemoryFormat::ChannelsLast) : moved.contiguous());
  }
  const bool own_kernel = device().is_cpu() && config.act == Activation::prelu && (dtype_ == at::kFloat || dtype_ == at::kBFloat16);
  for (std::int64_t layer = 0; own_kernel && layer <= config.num_conv; ++layer) {
    const auto stored = mixed.at(key(2 * layer + 1, "weight")).to(at::kCPU, dtype_).to(at::kFloat).contiguous();
    const auto* first = static_cast<const float*>(stored.const_data_ptr());
    slopes_.push_back(repeat_slopes(std::vector<float>(first, first + stored.numel())));
  }
  denoise_ = strength;
  return true;
}

std::int64_t srvgg_bytes_per_pixel(const SrvggConfig& config, at::ScalarType dtype) {
  const auto element = static_cast<std::int64_t>(c10::elementSize(dtype));
  const std::int64_t tail = config.num_out_ch * config.upscale * config.upscale;
  // Convolution: its input, its output and the library's reordered copy. Tail: the convolution's output and four float pictures.
  return std::max(3 * element * config.num_feat, element * tail + 4 * 4 * tail);
}

std::string SrvggAten::description() const { return "LibTorch on " + device().str() + " " + c10::toString(dtype_) + " channels-last"; }

at::Tensor SrvggAten::body(const at::Tensor& x) const {
  if (slopes_.empty()) return srvgg_body(model_.config, weights_, x);
  at::Tensor y = x;
  for (std::int64_t layer = 0; layer <= model_.config.num_conv + 1; ++layer) {
    y = at::conv2d(y, weights_.at(key(2 * layer, "weight")), weights_.at(key(2 * layer, "bias")), /*stride=*/1, /*padding=*/1);
    if (layer > model_.config.num_conv) break;
    y = y.contiguous(at::MemoryFormat::ChannelsLast);  // it is, unless LibTorch chose otherwise for a tiny picture
    prelu(y, slopes_[static_cast<std::size_t>(layer)]);
  }
  return y;
}

at::Tensor SrvggAten::enlarge(const at::Tensor& rgb) const {
  const auto x = rgb.to(dtype_).contiguous(at::MemoryFormat::ChannelsLast);
  const auto detail = at::pixel_shuffle(body(x).to(at::kFloat), model_.config.upscale);
  return at::add(detail, at::upsample_nearest2d(rgb, {rgb.size(2) * model_.config.upscale, rgb.size(3) * model_.config.upscale}));
}

}  // namespace kinora::models::esrgan
