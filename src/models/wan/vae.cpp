#include "models/wan/vae.hpp"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "models/stable_diffusion/blended_tiles.hpp"

namespace kinora::models::wan {
namespace {

// Pixels of a patch become channels in the order colour, column, row.
at::Tensor patched(const at::Tensor& video, std::int64_t side) {
  if (side == 1) return video;
  return video.unflatten(4, {-1, side}).unflatten(3, {-1, side}).permute({0, 1, 6, 4, 2, 3, 5}).flatten(1, 3);
}

at::Tensor unpatched(const at::Tensor& x, std::int64_t side) {
  if (side == 1) return x;
  return x.unflatten(1, {-1, side, side}).permute({0, 1, 4, 5, 3, 6, 2}).flatten(5, 6).flatten(3, 4);
}

// The frames through `half`: the first alone, then `step` at a time.
template <typename Half>
at::Tensor in_chunks(const Half& half, const at::Tensor& x, std::int64_t step, const std::function<void(double)>& progress) {
  Passage passage;
  std::vector<at::Tensor> parts{half(x.narrow(2, 0, 1), passage)};
  passage.first = false;
  for (std::int64_t i = 1; i < x.size(2); i += step) {
    if (progress) progress(static_cast<double>(i) / static_cast<double>(x.size(2)));
    parts.push_back(half(x.slice(2, i, i + step), passage));
  }
  return at::cat(parts, 2);
}

}  // namespace

Vae::Vae(const Config& c, const nn::Weights& w)
    : config_(c),
      encoder_(config_, w / "encoder"),
      decoder_(config_, w / "decoder"),
      quant_conv_(w / "quant_conv", 2 * c.latent_channels, 2 * c.latent_channels, {1, 1, 1}),
      post_quant_conv_(w / "post_quant_conv", c.latent_channels, c.latent_channels, {1, 1, 1}),
      dtype_(quant_conv_.weight.scalar_type()) {}

Posterior Vae::encode(const at::Tensor& video, const VaeSavings& savings) const {
  const std::int64_t factor = config_.time_factor();
  if (video.size(2) % factor != 1 % factor)
    throw std::invalid_argument("a video of 1 + " + std::to_string(factor) + " k frames is needed, not " + std::to_string(video.size(2)));
  const auto encode = [&](const at::Tensor& x) {
    return quant_conv_(in_chunks(encoder_, x, factor * savings.frames_at_once, savings.progress)).contiguous();
  };
  const auto x = patched(video, config_.patch).contiguous(at::MemoryFormat::ChannelsLast3d);
  const bool tiles = savings.tiling && std::max(x.size(3), x.size(4)) > kTileSide;
  const stable_diffusion::TileSides sides{.in = kTileSide, .out = kTileSide * config_.patch / config_.factor()};
  return Posterior(tiles ? stable_diffusion::blended_tiles(x, sides, encode) : encode(x));
}

at::Tensor Vae::decode(const at::Tensor& latents, const VaeSavings& savings) const {
  const auto decode = [&](const at::Tensor& z) {
    return in_chunks(decoder_, post_quant_conv_(z), savings.frames_at_once, savings.progress);
  };
  const auto z = latents.contiguous(at::MemoryFormat::ChannelsLast3d);
  const stable_diffusion::TileSides sides{.in = kTileSide / config_.factor(), .out = kTileSide / config_.patch};
  const bool tiles = savings.tiling && std::max(z.size(3), z.size(4)) > sides.in;
  const auto x = tiles ? stable_diffusion::blended_tiles(z, sides, decode) : decode(z);
  return unpatched(x, config_.patch).clamp(-1, 1).contiguous();
}

std::uint64_t Vae::decode_bytes(std::int64_t height, std::int64_t width, std::int64_t latent_frames) const {
  // At full size: the upsampled input of twice the last level's width, then input, norm and output of a convolution.
  const std::int64_t pixels = latent_frames * config_.time_factor() * (height / config_.patch) * (width / config_.patch);
  return static_cast<std::uint64_t>(5 * config_.decoder_base * config_.multipliers.front() * pixels) * at::elementSize(dtype_);
}

}  // namespace kinora::models::wan
