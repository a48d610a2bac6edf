#pragma once
// config.json of an AutoencoderKL.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/json_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::stable_diffusion {

struct VaeConfig {
  std::int64_t in_channels = 3, out_channels = 3, latent_channels = 4;
  std::vector<std::int64_t> channels;  // by level, from full size down
  std::int64_t layers = 1;             // resnets of a level of the encoder; the decoder has one more
  std::int64_t groups = 32;
  nn::Act act = nn::Act::silu;
  bool mid_attention = true, quant_conv = true, post_quant_conv = true;
  std::int64_t sample_size = 32;  // side of the pictures it was trained for; the side of a tile
  double scaling_factor = 0.18215, shift_factor = 0;
  std::vector<double> latents_mean, latents_std;  // by channel; empty: not used
  bool force_upcast = true;                       // overflows in float16: run it in float32 or bfloat16

  static VaeConfig read(const nn::JsonConfig& config);

  // Pixels per latent and side, 8 for the published ones.
  std::int64_t factor() const { return std::int64_t{1} << (channels.size() - 1); }
  // Latents as the encoder gives them -> as the denoiser takes them: (z - shift) * scaling_factor, or (z - mean) * scaling_factor / std.
  at::Tensor to_denoiser(const at::Tensor& z) const;
  at::Tensor from_denoiser(const at::Tensor& z) const;  // the inverse
};

}  // namespace kinora::models::stable_diffusion
