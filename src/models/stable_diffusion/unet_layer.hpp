#pragma once
// The parts of a UNet2DConditionModel, which AnimateDiff's UNet shares.
#include <ATen/core/Tensor.h>

#include <optional>

#include "models/stable_diffusion/unet_config.hpp"
#include "models/unet/body.hpp"
#include "models/unet/resnet_block.hpp"
#include "models/unet/transformer_2d.hpp"

namespace kinora::models::stable_diffusion {

// "resnets.j" and, where there is attention, "attentions.j".
struct UNetLayer {
  unet::ResnetBlock resnet;
  std::optional<unet::Transformer2D> attention;

  UNetLayer(const UNetConfig& config, const nn::Weights& block, const unet::LayerPlace& place);
  at::Tensor operator()(const at::Tensor& x, const unet::LayerInputs& inputs) const;
};

// Everything outside the hourglass: time embedding, first and last convolution.
struct UNetEnds {
  nn::Conv2d conv_in, conv_out;
  nn::GroupNorm conv_norm_out;
  unet::TimestepEmbedding time_embedding;
  std::optional<unet::TimestepEmbedding> add_embedding;  // text_time

  UNetEnds(const UNetConfig& config, const nn::Weights& w);
  // timestep [] or [B]; guidance, pooled_text, size_ids may be undefined where the configuration does without. Gives act(embedding) [1 or
  // B, time_width].
  at::Tensor time(const UNetConfig& config, const at::Tensor& timestep, const at::Tensor& guidance, const at::Tensor& pooled_text,
                  const at::Tensor& size_ids) const;
  at::Tensor in(const UNetConfig& config, const at::Tensor& sample) const;  // [B, in, H, W] -> [B, channels[0], H, W] channels-last
  at::Tensor out(const UNetConfig& config, const at::Tensor& x) const;      // -> [B, out, H, W]
};

}  // namespace kinora::models::stable_diffusion
