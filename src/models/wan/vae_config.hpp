#pragma once
// config.json of AutoencoderKLWan: the causal video VAEs of Wan 2.1 and, with residual blocks and 2x2 pixel patches, 2.2.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/json_config.hpp"

namespace kinora::models::wan {

struct VaeConfig {
  std::int64_t base = 96, decoder_base = 96, latent_channels = 16;
  std::vector<std::int64_t> multipliers{1, 2, 4, 4};        // of base, by level from full size down
  std::int64_t layers = 2;                                  // residual blocks of an encoder's level; a decoder's has one more
  std::vector<bool> halves_time{false, true, true, false};  // the step down from each level; the last has none
  bool residual = false;
  std::int64_t in_channels = 3, out_channels = 3;
  std::int64_t patch = 1;  // pixels of a side that become channels
  std::vector<double> latents_mean, latents_std;

  static VaeConfig read(const nn::JsonConfig& config);
  std::size_t levels() const { return multipliers.size(); }
  std::int64_t factor() const { return patch << (levels() - 1); }  // pixels of a side in one latent
  std::int64_t time_factor() const;                                // frames in one latent, of all but the first
  std::int64_t latent_frames(std::int64_t frames) const { return (frames - 1) / time_factor() + 1; }
  // z [B, latent_channels, ...] of the VAE <-> of the denoiser.
  at::Tensor to_denoiser(const at::Tensor& z) const;
  at::Tensor from_denoiser(const at::Tensor& z) const;
};

}  // namespace kinora::models::wan
