#pragma once
// TransformerSpatioTemporalModel: transformer blocks over the pixels of each frame, each followed by one over the frames of each pixel.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "models/svd/temporal_resnet.hpp"
#include "models/unet/timestep_embedding.hpp"
#include "models/unet/transformer_2d.hpp"
#include "models/unet/transformer_block.hpp"
#include "nn/layers.hpp"

namespace kinora::models::svd {

// TemporalBasicTransformerBlock: x += ff_in(norm_in(x)), then a transformer block.
struct TemporalBlock {
  nn::LayerNorm norm_in;
  unet::FeedForward ff_in;
  unet::TransformerBlock block;
  TemporalBlock(const nn::Weights& w, std::int64_t width, std::int64_t heads, std::int64_t context_width);
  void operator()(const at::Tensor& x, const at::Tensor& context) const;  // x [videos H W, F, width], in place
};

struct SpatioTemporalTransformer {
  nn::GroupNorm norm;
  unet::TokenProjection proj_in, proj_out;
  std::vector<unet::TransformerBlock> blocks;
  std::vector<TemporalBlock> temporal_blocks;
  unet::TimestepEmbedding time_pos_embed;
  TimeMixer time_mixer;

  SpatioTemporalTransformer(const nn::Weights& w, const unet::TransformerConfig& config);
  // x [videos F, channels, H, W]; context [videos, S, width]. A new tensor.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context, std::int64_t videos) const;
};

}  // namespace kinora::models::svd
