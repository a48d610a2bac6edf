#include "models/tiled_upscaler.hpp"

#include <ATen/ops/sum.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "models/picture_tensor.hpp"
#include "models/tiles.hpp"

namespace kinora::models {

TiledUpscaler::TiledUpscaler(const Tiling& tiling, c10::Device device, std::uint64_t memory_bytes) : tiling_(tiling), device_(device) {
  const auto bytes = static_cast<std::int64_t>(std::min<std::uint64_t>(memory_bytes, 1ULL << 50));
  max_pixels_ = std::max<std::int64_t>(1, bytes / tiling_.bytes_per_pixel);
  const std::int64_t least_side = std::max<std::int64_t>(1, (kLeastKept + 2) * tiling_.context);
  if (device_.is_cpu()) max_pixels_ = std::min(max_pixels_, std::max(kMaxCallMacs / tiling_.macs_per_pixel, least_side * least_side));
}

void TiledUpscaler::upscale(const Picture& in, void* out, const Watch& watch) {
  const c10::InferenceMode inference;
  const std::int64_t s = tiling_.scale;
  const double full = full_scale(in.type), pixels = static_cast<double>(in.width) * static_cast<double>(in.height);
  double done = 0;
  const auto source = view_picture(in.data, in.type, in.width, in.height);
  auto target = view_picture(out, in.type, in.width * s, in.height * s);
  const auto aligned = [&](std::int64_t side) { return std::max(side / tiling_.multiple, std::int64_t{1}) * tiling_.multiple; };
  auto size = choose_tile_size(in.width, in.height, tiling_.context, max_pixels_);
  if (size.x < in.width) size.x = aligned(size.x);
  if (size.y < in.height) size.y = aligned(size.y);
  for (const Tile& t : plan_tiles(in.width, in.height, size.x, size.y, tiling_.context)) {
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

}  // namespace kinora::models
