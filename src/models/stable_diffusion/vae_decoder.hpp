#pragma once
// The convolutional decoder of AutoencoderKL.
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "models/stable_diffusion/vae_encoder.hpp"

namespace kinora::models::stable_diffusion {

struct VaeDecoder {
  struct Level {
    std::vector<unet::ResnetBlock> resnets;
    std::optional<unet::Upsample> upsample;
  };
  nn::Conv2d conv_in, conv_out;
  VaeMid mid;
  std::vector<Level> levels;
  nn::GroupNorm conv_norm_out;
  nn::Act act;

  VaeDecoder(const VaeConfig& config, const nn::Weights& w);
  // [B, latent_channels, h, w] channels-last -> [B, out_channels, factor h, factor w]
  at::Tensor operator()(const at::Tensor& latents) const;
};

}  // namespace kinora::models::stable_diffusion
