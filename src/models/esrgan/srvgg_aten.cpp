#include "models/esrgan/srvgg_aten.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "models/tiles.hpp"

namespace kinora::models::esrgan {
namespace {

// [3, H, W] over the caller's memory, whatever its order.
at::Tensor view(const void* data, SampleType type, std::int64_t width, std::int64_t height) {
  auto* memory = const_cast<void*>(data);  // NOLINT: LibTorch has no tensor over const memory; inputs are only read
  if (type == SampleType::packed_u8) return at::from_blob(memory, {height, width, 3}, at::kByte).permute({2, 0, 1});
  return at::from_blob(memory, {3, height, width}, at::kUInt16);
}

double full_scale(SampleType type) { return type == SampleType::packed_u8 ? 255.0 : 65535.0; }

}  // namespace

SrvggAten::SrvggAten(const SrvggModel& model, c10::Device device, at::ScalarType dtype, std::uint64_t memory_bytes)
    : config_(model.config), device_(device), dtype_(dtype), max_pixels_(1) {
  const c10::InferenceMode inference;
  for (const auto& [name, tensor] : model.weights) {
    const auto moved = tensor.to(device_, dtype_);
    weights_.emplace(name, moved.dim() == 4 ? moved.contiguous(at::MemoryFormat::ChannelsLast) : moved.contiguous());
  }
  max_pixels_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min<std::uint64_t>(memory_bytes, 1ULL << 50)) / bytes_per_pixel());
}

std::int64_t SrvggAten::bytes_per_pixel() const {
  const auto element = static_cast<std::int64_t>(c10::elementSize(dtype_));
  const std::int64_t tail = config_.num_out_ch * config_.upscale * config_.upscale;
  // Convolution: its input, its output and the library's reordered copy. Tail: the convolution's output and four float pictures.
  return std::max(3 * element * config_.num_feat, element * tail + 4 * 4 * tail);
}

std::string SrvggAten::description() const { return "LibTorch on " + device_.str() + " " + c10::toString(dtype_) + " channels-last"; }

at::Tensor SrvggAten::enlarge(const at::Tensor& rgb) const {
  const auto x = rgb.to(dtype_).contiguous(at::MemoryFormat::ChannelsLast);
  const auto detail = at::pixel_shuffle(srvgg_body(config_, weights_, x).to(at::kFloat), config_.upscale);
  return at::add(detail, at::upsample_nearest2d(rgb, {rgb.size(2) * config_.upscale, rgb.size(3) * config_.upscale}));
}

void SrvggAten::upscale(const Picture& in, void* out) {
  const c10::InferenceMode inference;
  const std::int64_t s = config_.upscale;
  const double full = full_scale(in.type);
  const auto source = view(in.data, in.type, in.width, in.height);
  auto target = view(out, in.type, in.width * s, in.height * s);
  const std::int64_t context = config_.receptive_radius();
  const auto size = choose_tile_size(in.width, in.height, context, max_pixels_);
  for (const Tile& t : plan_tiles(in.width, in.height, size.x, size.y, context)) {
    const auto rgb = source.slice(1, t.y0, t.y1).slice(2, t.x0, t.x1).unsqueeze(0).to(device_).to(at::kFloat).div(full);
    const auto y =
        enlarge(rgb).slice(2, (t.keep_y0 - t.y0) * s, (t.keep_y1 - t.y0) * s).slice(3, (t.keep_x0 - t.x0) * s, (t.keep_x1 - t.x0) * s);
    if (!std::isfinite(at::sum(y).item<float>())) throw NotFinite();
    const auto samples = at::round(at::clamp(y, 0, 1).mul(full)).to(at::kInt).to(target.scalar_type()).squeeze(0);
    target.slice(1, t.keep_y0 * s, t.keep_y1 * s).slice(2, t.keep_x0 * s, t.keep_x1 * s).copy_(samples);
  }
}

}  // namespace kinora::models::esrgan
