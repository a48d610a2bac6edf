#pragma once
// The convolutional encoder of AutoencoderKL and of SVD's AutoencoderKLTemporalDecoder.
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "models/stable_diffusion/vae_attention.hpp"
#include "models/stable_diffusion/vae_config.hpp"
#include "models/unet/resnet_block.hpp"
#include "models/unet/sampling.hpp"
#include "nn/layers.hpp"

namespace kinora::models::stable_diffusion {

// A resnet of the VAE: no time, eps 1e-6.
unet::ResnetConfig vae_resnet(const VaeConfig& config, std::int64_t in, std::int64_t out);

// resnets.0, attentions.0 unless the configuration is without, resnets.1.
struct VaeMid {
  unet::ResnetBlock first, last;
  std::optional<VaeAttention> attention;
  VaeMid(const VaeConfig& config, const nn::Weights& w);
  at::Tensor operator()(const at::Tensor& x) const;
};

struct VaeEncoder {
  struct Level {
    std::vector<unet::ResnetBlock> resnets;
    std::optional<unet::Downsample> downsample;
  };
  nn::Conv2d conv_in, conv_out;
  std::vector<Level> levels;
  VaeMid mid;
  nn::GroupNorm conv_norm_out;
  nn::Act act;

  VaeEncoder(const VaeConfig& config, const nn::Weights& w);
  // [B, in_channels, H, W] channels-last -> [B, 2 latent_channels, H / factor, W / factor]
  at::Tensor operator()(const at::Tensor& picture) const;
};

}  // namespace kinora::models::stable_diffusion
