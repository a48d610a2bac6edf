#pragma once
// The two halves of Wan's video VAE. One chunk of frames at a time; a Passage for each video.
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "models/wan/vae_config.hpp"
#include "models/wan/vae_layers.hpp"
#include "models/wan/vae_resample.hpp"

namespace kinora::models::wan {

struct MidBlock {
  ResidualBlock before, after;
  FrameAttention attention;
  MidBlock(const nn::Weights& w, std::int64_t channels);
  at::Tensor operator()(const at::Tensor& x, Passage& passage) const;
};

class Encoder {
 public:
  Encoder(const VaeConfig& config, const nn::Weights& w);
  // [B, in_channels, T, H, W] -> [B, 2 latent_channels, T', H', W'].
  at::Tensor operator()(const at::Tensor& x, Passage& passage) const;

 private:
  struct Level {
    std::vector<ResidualBlock> resnets;
    std::optional<Downsample> down;
    std::int64_t out = 0, time = 1, side = 1;  // of the way past a residual level
  };
  bool residual_;
  CausalConv3d conv_in_;
  std::vector<Level> levels_;
  MidBlock mid_;
  ChannelNorm norm_out_;
  CausalConv3d conv_out_;
};

class Decoder {
 public:
  Decoder(const VaeConfig& config, const nn::Weights& w);
  // [B, latent_channels, T, H, W] -> [B, out_channels, T', H', W'].
  at::Tensor operator()(const at::Tensor& z, Passage& passage) const;

 private:
  struct Level {
    std::vector<ResidualBlock> resnets;
    std::optional<Upsample> up;
    std::int64_t out = 0, time = 1;
  };
  bool residual_;
  CausalConv3d conv_in_;
  MidBlock mid_;
  std::vector<Level> levels_;
  ChannelNorm norm_out_;
  CausalConv3d conv_out_;
};

}  // namespace kinora::models::wan
