#include "models/esrgan/srvgg_aten.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "models/esrgan/prelu_kernel.hpp"
#include "models/picture_tensor.hpp"
#include "models/tiles.hpp"

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

SrvggAten::SrvggAten(const SrvggModel& model, c10::Device device, at::ScalarType dtype, std::uint64_t memory_bytes)
    : config_(model.config), device_(device), dtype_(dtype), max_pixels_(1) {
  const c10::InferenceMode inference;
  for (const auto& [name, tensor] : model.weights) {
    const auto moved = tensor.to(device_, dtype_);
    weights_.emplace(name, moved.dim() == 4 ? moved.contiguous(at::MemoryFormat::ChannelsLast) : moved.contiguous());
  }
  const bool own_kernel = device_.is_cpu() && config_.act == Activation::prelu && (dtype_ == at::kFloat || dtype_ == at::kBFloat16);
  for (std::int64_t layer = 0; own_kernel && layer <= config_.num_conv; ++layer) {
    const auto stored = model.weights.at(key(2 * layer + 1, "weight")).to(at::kCPU, dtype_).to(at::kFloat).contiguous();
    const auto* first = static_cast<const float*>(stored.const_data_ptr());
    slopes_.push_back(repeat_slopes(std::vector<float>(first, first + stored.numel())));
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

at::Tensor SrvggAten::body(const at::Tensor& x) const {
  if (slopes_.empty()) return srvgg_body(config_, weights_, x);
  at::Tensor y = x;
  for (std::int64_t layer = 0; layer <= config_.num_conv + 1; ++layer) {
    y = at::conv2d(y, weights_.at(key(2 * layer, "weight")), weights_.at(key(2 * layer, "bias")), /*stride=*/1, /*padding=*/1);
    if (layer > config_.num_conv) break;
    y = y.contiguous(at::MemoryFormat::ChannelsLast);  // it is, unless LibTorch chose otherwise for a tiny picture
    prelu(y, slopes_[static_cast<std::size_t>(layer)]);
  }
  return y;
}

at::Tensor SrvggAten::enlarge(const at::Tensor& rgb) const {
  const auto x = rgb.to(dtype_).contiguous(at::MemoryFormat::ChannelsLast);
  const auto detail = at::pixel_shuffle(body(x).to(at::kFloat), config_.upscale);
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
