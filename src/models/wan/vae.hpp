#pragma once
// AutoencoderKLWan: a video of 1 + f k frames to latents of 1 + k frames and back, causal in time. Immutable after construction: any
// thread.
#include <ATen/core/Tensor.h>

#include <functional>

#include "models/stable_diffusion/posterior.hpp"
#include "models/wan/vae_coder.hpp"
#include "models/wan/vae_config.hpp"

namespace kinora::models::wan {

using stable_diffusion::Posterior;

// How to keep the activations small. Neither chunks change the result; tiles do a little.
struct VaeSavings {
  std::int64_t frames_at_once = 1;         // latent frames after the first
  bool tiling = false;                     // blended tiles of 256 pixels (what is not larger is never cut)
  std::function<void(double)> progress{};  // 0..1 of the whole, before each chunk; may throw
};

class Vae {
 public:
  using Config = VaeConfig;
  static constexpr std::int64_t kTileSide = 256;

  Vae(const Config& config, const nn::Weights& w);
  const Config& config() const { return config_; }
  at::ScalarType dtype() const { return dtype_; }

  // video [B, 3, 1 + f k, H, W] in -1..1, sides multiples of factor(); other frame counts: std::invalid_argument.
  Posterior encode(const at::Tensor& video, const VaeSavings& savings = {}) const;
  // latents [B, latent_channels, 1 + k, h, w] as the VAE has them -> [B, 3, 1 + f k, H, W], clamped to -1..1.
  at::Tensor decode(const at::Tensor& latents, const VaeSavings& savings = {}) const;
  // Bytes of activations that decoding so many latent frames at once takes, about.
  std::uint64_t decode_bytes(std::int64_t height, std::int64_t width, std::int64_t latent_frames) const;

 private:
  Config config_;
  Encoder encoder_;
  Decoder decoder_;
  nn::Conv3d quant_conv_, post_quant_conv_;
  at::ScalarType dtype_;
};

}  // namespace kinora::models::wan
