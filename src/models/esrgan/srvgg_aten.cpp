#include "models/esrgan/srvgg_aten.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "models/picture_tensor.hpp"
#include "models/tiles.hpp"

namespace kinora::models::esrgan {

SrvggAten::SrvggAten(const SrvggModel& model, c10::Device device, at::ScalarType dtype, std::uint64_t memory_bytes)
    : config_(model.config), device_(device), dtype_(dtype), max_pixels_(1) {
  const c10::InferenceMode inference;
  for (const auto& [name, tensor] : model.weights) {
    const auto moved = tensor.to(device_, dtype_);
    weights_.emplace(name, moved.dim() == 4 ? moved.contiguous(at::MemoryFormat::ChannelsLast) : moved.contiguous());
  }
  const auto bytes = static_cast<std::int64_t>(std::min<std::uint64_t>(memory_bytes, 1ULL << 50));
  max_pixels_ = std::max<std::int64_t>(1, bytes / bytes_per_pixel());
  if (device_.is_cpu()) max_pixels_ = std::min(max_pixels_, std::max<std::int64_t>(1, kMaxCallMacs / config_.macs_per_pixel()));
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

void SrvggAten::upscale(const Picture& in, void* out, const Watch& watch) {
  const c10::InferenceMode inference;
  const std::int64_t s = config_.upscale;
  const double full = full_scale(in.type), pixels = static_cast<double>(in.width) * static_cast<double>(in.height);
  double done = 0;
  const auto source = view_picture(in.data, in.type, in.width, in.height);
  auto target = view_picture(out, in.type, in.width * s, in.height * s);
  const std::int64_t context = config_.receptive_radius();
  const auto size = choose_tile_size(in.width, in.height, context, max_pixels_);
  for (const Tile& t : plan_tiles(in.width, in.height, size.x, size.y, context)) {
    const auto rgb = source.slice(1, t.y0, t.y1).slice(2, t.x0, t.x1).unsqueeze(0).to(device_).to(at::kFloat).div(full);
    const auto y =
        enlarge(rgb).slice(2, (t.keep_y0 - t.y0) * s, (t.keep_y1 - t.y0) * s).slice(3, (t.keep_x0 - t.x0) * s, (t.keep_x1 - t.x0) * s);
    if (!std::isfinite(at::sum(y).item<float>())) throw NotFinite();
    const auto samples = to_samples(y.squeeze(0), in.type);
    target.slice(1, t.keep_y0 * s, t.keep_y1 * s).slice(2, t.keep_x0 * s, t.keep_x1 * s).copy_(samples);
    done += static_cast<double>((t.keep_x1 - t.keep_x0) * (t.keep_y1 - t.keep_y0));
    if (watch && !watch(done / pixels)) throw Stopped();
  }
}

}  // namespace kinora::models::esrgan
