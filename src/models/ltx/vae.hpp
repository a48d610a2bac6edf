#pragma once
// AutoencoderKLLTXVideo: a video of 1 + 8 k frames to latents of 1 + k frames and back. Immutable after construction: any thread.
#include <ATen/core/Tensor.h>

#include "models/ltx/vae_config.hpp"
#include "models/ltx/vae_layers.hpp"
#include "models/stable_diffusion/posterior.hpp"

namespace kinora::models::ltx {

class Vae {
 public:
  using Config = VaeConfig;
  static constexpr std::int64_t kTileSide = 512;

  Vae(const Config& config, const nn::Weights& w);
  const Config& config() const { return config_; }
  at::ScalarType dtype() const { return latents_mean_.scalar_type(); }

  // video [B, 3, 1 + 8 k, H, W] in -1..1, sides multiples of factor.
  stable_diffusion::Posterior encode(const at::Tensor& video) const;
  // latents [B, C, 1 + k, h, w] as the VAE has them -> [B, 3, 1 + 8 k, H, W]. conditions.time is needed when config().timed, 0..1.
  // tiling: in blended tiles of 512 pixels.
  at::Tensor decode(const at::Tensor& latents, Conditions conditions, bool tiling = false) const;
  at::Tensor to_denoiser(const at::Tensor& z) const;    // without scaling_factor, as the reference has it
  at::Tensor from_denoiser(const at::Tensor& z) const;  // [B, C, ...]
  // Bytes of activations that decoding takes, about.
  std::uint64_t decode_bytes(std::int64_t frames, std::int64_t height, std::int64_t width) const;

 private:
  struct Level {
    TimeEmbedder time;
    std::vector<Resnet> resnets;
    std::optional<Resnet> change;  // of channels: before the step up, after the step down
    std::optional<CausalConv3d> strided;
    std::optional<Downsample> down;
    std::optional<Upsample> up;
  };
  void build_encoder(const nn::Weights& w);
  void build_decoder(const nn::Weights& w);
  at::Tensor decode_whole(const at::Tensor& latents, const Conditions& conditions) const;

  Config config_;
  at::Tensor latents_mean_, latents_std_;  // [C]
  CausalConv3d encoder_in_, encoder_out_, decoder_in_, decoder_out_;
  std::vector<Level> encoder_, decoder_;
  Level encoder_mid_, decoder_mid_;
  TimeEmbedder last_time_;
  at::Tensor time_multiplier_, last_table_;  // [], [2, C]
};

}  // namespace kinora::models::ltx
