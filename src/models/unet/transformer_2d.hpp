#pragma once
// Transformer2DModel: a picture's pixels as tokens through transformer blocks, added to the picture.
#include <ATen/core/Tensor.h>

#include <vector>

#include "models/unet/transformer_block.hpp"
#include "nn/layers.hpp"

namespace kinora::models::unet {

struct TransformerConfig {
  std::int64_t channels = 0, heads = 1, depth = 1, context = 0;
  std::int64_t groups = 32;
  bool linear_projection = false;  // how proj_in and proj_out are stored: as linear layers or as 1x1 convolutions

  std::int64_t inner() const { return channels / heads * heads; }
};

// A linear layer over tokens whose weight may be stored as a 1x1 convolution's.
struct TokenProjection {
  at::Tensor weight, bias;
  TokenProjection(const nn::Weights& w, std::int64_t in, std::int64_t out, bool linear);
  at::Tensor operator()(const at::Tensor& tokens) const;
};

struct Transformer2D {
  nn::GroupNorm norm;
  TokenProjection proj_in, proj_out;
  std::vector<TransformerBlock> blocks;

  Transformer2D(const nn::Weights& w, const TransformerConfig& config);
  // x [B, channels, H, W], context as in Attention::cross. A new tensor.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context) const;
};

}  // namespace kinora::models::unet
