#include "models/stable_diffusion/picture_decoder.hpp"

#include <ATen/ops/cat.h>

#include <algorithm>

namespace kinora::models::stable_diffusion {

std::uint64_t decode_bytes(const VaeConfig& config, std::int64_t height, std::int64_t width, std::size_t element_bytes) {
  const auto channels = config.channels[std::min<std::size_t>(1, config.channels.size() - 1)];
  return static_cast<std::uint64_t>(4 * channels * height * width) * element_bytes;
}

at::Tensor decode_pictures(diffusion::Job& job, const Vae& vae, const at::Tensor& latents, std::int64_t chunk, std::uint64_t limit) {
  const auto z = vae.config().from_denoiser(latents.to(vae.dtype()));
  const std::int64_t count = z.size(0), factor = vae.config().factor();
  const auto each = decode_bytes(vae.config(), z.size(2) * factor, z.size(3) * factor, z.element_size());
  const std::int64_t fit = std::clamp<std::int64_t>(static_cast<std::int64_t>(limit / std::max<std::uint64_t>(each, 1)), 1, chunk);
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < count; i += fit) {
    if (i > 0) job.decoding(static_cast<double>(i) / static_cast<double>(count));
    parts.push_back(vae.decode(z.slice(0, i, std::min(i + fit, count)), {.tiling = each > limit}).to(at::kCPU, at::kFloat));
  }
  return at::cat(parts);
}

}  // namespace kinora::models::stable_diffusion
