#pragma once
// UNetSpatioTemporalConditionModel: noisy latents of a video beside those of its picture -> the prediction (velocity for the published
// ones). Immutable after construction: any thread.
#include <ATen/core/Tensor.h>

#include <optional>

#include "models/svd/temporal_resnet.hpp"
#include "models/svd/temporal_transformer.hpp"
#include "models/svd/unet_config.hpp"
#include "models/unet/body.hpp"
#include "models/unet/timestep_embedding.hpp"
#include "nn/layers.hpp"

namespace kinora::models::svd {

struct UNetLayer {
  SpatioTemporalResnet resnet;
  std::optional<SpatioTemporalTransformer> attention;
  UNetLayer(const UNetConfig& config, const nn::Weights& block, const unet::LayerPlace& place);
  at::Tensor operator()(const at::Tensor& x, const unet::LayerInputs& inputs) const;
};

class UNet {
 public:
  UNet(const UNetConfig& config, const nn::Weights& w);
  const UNetConfig& config() const { return config_; }

  // sample [B, F, in_channels, H, W]; timestep [] or [B]; context [B, S, cross_attention_dim] (an image embedding: S = 1); added_time_ids
  // [B, 3]: fps - 1, motion bucket, noise augmentation. Gives [B, F, out_channels, H, W] contiguous. One dtype, the weights' device.
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& timestep, const at::Tensor& context,
                     const at::Tensor& added_time_ids) const;

 private:
  UNetConfig config_;
  nn::Conv2d conv_in_, conv_out_;
  nn::GroupNorm conv_norm_out_;
  unet::TimestepEmbedding time_embedding_, add_embedding_;
  unet::Body<UNetLayer> body_;
};

}  // namespace kinora::models::svd
