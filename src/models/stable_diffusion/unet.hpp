#pragma once
// UNet2DConditionModel: noisy latents, a timestep and a prompt -> the prediction (noise, velocity or picture, as the scheduler says).
// Immutable after construction: any thread. Runs fastest on channels-last weights (nn::Placement::channels_last).
#include <ATen/core/Tensor.h>

#include <optional>
#include <variant>

#include "models/stable_diffusion/unet_config.hpp"
#include "models/stable_diffusion/unet_layer.hpp"
#include "models/unet/body.hpp"
#include "models/unet/timestep_embedding.hpp"
#include "nn/layers.hpp"

namespace kinora::models::stable_diffusion {

// What a picture is made after. B rows each, or one that stands for all. Only context is always needed.
struct Conditioning {
  at::Tensor context;           // the prompt's tokens [B, S, cross_attention_dim]
  at::Tensor guidance = {};     // LCM: guidance_embedding() [B, time_cond_proj_dim]; only where the configuration has that member
  at::Tensor pooled_text = {};  // SDXL: [B, P]
  at::Tensor size_ids = {};     // SDXL: height, width of the original, crop top, left, target height, width [B, 6]
};

class UNet {
 public:
  UNet(const UNetConfig& config, const nn::Weights& w);
  const UNetConfig& config() const { return config_; }

  // sample [B, in_channels, H, W] of any sides; timestep [] or [B], any type. Gives [B, out_channels, H, W] contiguous.
  // All on the weights' device; sample and context in their dtype.
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& timestep, const Conditioning& conditioning) const;

 private:
  UNetConfig config_;
  UNetEnds ends_;
  unet::Body<UNetLayer> body_;
};

// The embedding of guidance_scale - 1, [N] -> [N, size] float32, that models distilled over guidance take: sines, then cosines of
// 1000 w exp(-ln(10000) i / (size / 2 - 1)).
at::Tensor guidance_embedding(const at::Tensor& guidance_scale_minus_1, std::int64_t size);

}  // namespace kinora::models::stable_diffusion
