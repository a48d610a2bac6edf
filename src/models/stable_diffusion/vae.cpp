#include "models/stable_diffusion/vae.hpp"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <functional>

#include "models/stable_diffusion/blended_tiles.hpp"

namespace kinora::models::stable_diffusion {
namespace {

using Step = std::function<at::Tensor(const at::Tensor&)>;

at::Tensor run(const at::Tensor& batch, const VaeSavings& savings, const TileSides& sides, const Step& step) {
  const auto one = [&](const at::Tensor& x) {
    const bool large = std::max(x.size(2), x.size(3)) > sides.in;
    return savings.tiling && large ? blended_tiles(x, sides, step) : step(x);
  };
  if (!savings.slicing || batch.size(0) == 1) return one(batch);
  std::vector<at::Tensor> parts;
  parts.reserve(static_cast<std::size_t>(batch.size(0)));
  for (std::int64_t i = 0; i < batch.size(0); ++i) parts.push_back(one(batch.narrow(0, i, 1)));
  return at::cat(parts);
}

}  // namespace

Vae::Vae(const VaeConfig& config, const nn::Weights& w)
    : config_(config), encoder_(config, w / "encoder"), decoder_(config, w / "decoder") {
  const std::int64_t latents = config.latent_channels;
  if (config.quant_conv) quant_conv_.emplace(w / "quant_conv", 2 * latents, 2 * latents, 1);
  if (config.post_quant_conv) post_quant_conv_.emplace(w / "post_quant_conv", latents, latents, 1);
}

at::Tensor Vae::moments(const at::Tensor& picture) const {
  const auto h = encoder_(picture.contiguous(at::MemoryFormat::ChannelsLast));
  return quant_conv_ ? (*quant_conv_)(h) : h;
}

at::Tensor Vae::picture(const at::Tensor& latents) const {
  const auto z = latents.contiguous(at::MemoryFormat::ChannelsLast);
  return decoder_(post_quant_conv_ ? (*post_quant_conv_)(z) : z);
}

Posterior Vae::encode(const at::Tensor& pictures, const VaeSavings& savings) const {
  const TileSides sides{.in = config_.sample_size, .out = config_.sample_size / config_.factor()};
  return Posterior(run(pictures, savings, sides, [this](const at::Tensor& x) { return moments(x); }).contiguous());
}

at::Tensor Vae::decode(const at::Tensor& latents, const VaeSavings& savings) const {
  const TileSides sides{.in = config_.sample_size / config_.factor(), .out = config_.sample_size};
  return run(latents, savings, sides, [this](const at::Tensor& x) { return picture(x); }).contiguous();
}

}  // namespace kinora::models::stable_diffusion
