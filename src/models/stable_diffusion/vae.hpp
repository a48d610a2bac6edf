#pragma once
// AutoencoderKL: pictures to latents and back. Immutable after construction: any thread.
//
// With config.force_upcast the network overflows in float16; load it as float32 or bfloat16 then.
#include <ATen/core/Tensor.h>

#include <optional>

#include "models/stable_diffusion/posterior.hpp"
#include "models/stable_diffusion/vae_config.hpp"
#include "models/stable_diffusion/vae_decoder.hpp"
#include "models/stable_diffusion/vae_encoder.hpp"

namespace kinora::models::stable_diffusion {

// Ways to spend less memory.
struct VaeSavings {
  bool tiling = false;   // pictures larger than config.sample_size in blended tiles of that side; changes the result slightly
  bool slicing = false;  // one picture after another; exact
};

class Vae {
 public:
  Vae(const VaeConfig& config, const nn::Weights& w);
  const VaeConfig& config() const { return config_; }
  c10::Device device() const { return decoder_.conv_in.weight.device(); }
  at::ScalarType dtype() const { return decoder_.conv_in.weight.scalar_type(); }

  // Pictures [B, in_channels, H, W] in -1..1 -> latents [B, latent_channels, H / factor, W / factor], unscaled (config.to_denoiser).
  Posterior encode(const at::Tensor& pictures, const VaeSavings& savings = {}) const;
  // Unscaled latents -> pictures about -1..1, contiguous.
  at::Tensor decode(const at::Tensor& latents, const VaeSavings& savings = {}) const;

 private:
  at::Tensor moments(const at::Tensor& picture) const;
  at::Tensor picture(const at::Tensor& latents) const;

  VaeConfig config_;
  VaeEncoder encoder_;
  VaeDecoder decoder_;
  std::optional<nn::Conv2d> quant_conv_, post_quant_conv_;
};

}  // namespace kinora::models::stable_diffusion
