#pragma once
// AutoencoderKLTemporalDecoder: AutoencoderKL's encoder, and a decoder that looks along time. Immutable after construction: any thread.
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "models/stable_diffusion/posterior.hpp"
#include "models/stable_diffusion/vae_config.hpp"
#include "models/stable_diffusion/vae_encoder.hpp"
#include "models/svd/temporal_resnet.hpp"
#include "models/unet/sampling.hpp"

namespace kinora::models::svd {

struct TemporalDecoder {
  struct Level {
    std::vector<SpatioTemporalResnet> resnets;
    std::optional<unet::Upsample> upsample;
  };
  nn::Conv2d conv_in, conv_out;
  std::vector<SpatioTemporalResnet> mid;
  stable_diffusion::VaeAttention mid_attention;
  std::vector<Level> levels;
  nn::GroupNorm conv_norm_out;
  TemporalConv time_conv_out;

  TemporalDecoder(const stable_diffusion::VaeConfig& config, const nn::Weights& w);
  at::Tensor operator()(const at::Tensor& latents, std::int64_t videos) const;
};

class TemporalVae {
 public:
  TemporalVae(const stable_diffusion::VaeConfig& config, const nn::Weights& w);
  const stable_diffusion::VaeConfig& config() const { return config_; }
  c10::Device device() const { return decoder_.conv_in.weight.device(); }
  at::ScalarType dtype() const { return decoder_.conv_in.weight.scalar_type(); }

  // Pictures [B, in_channels, H, W] in -1..1 -> unscaled latents [B, latent_channels, H / factor, W / factor].
  stable_diffusion::Posterior encode(const at::Tensor& pictures) const;
  // Unscaled latents [videos F, latent_channels, h, w], frames of a video one after another -> frames [videos F, out_channels, H, W]
  // about -1..1, contiguous. Decoding fewer frames at a time saves memory and changes the frames near the cuts.
  at::Tensor decode(const at::Tensor& latents, std::int64_t videos) const;

 private:
  stable_diffusion::VaeConfig config_;
  stable_diffusion::VaeEncoder encoder_;
  TemporalDecoder decoder_;
  nn::Conv2d quant_conv_;
};

}  // namespace kinora::models::svd
