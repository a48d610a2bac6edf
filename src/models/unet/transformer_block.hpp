#pragma once
// BasicTransformerBlock: x += attn1(norm1(x)); x += attn2(norm2(x), context); x += ff(norm3(x)).
#include <ATen/core/Tensor.h>

#include "models/unet/attention.hpp"
#include "models/unet/feed_forward.hpp"
#include "nn/layers.hpp"

namespace kinora::models::unet {

struct TransformerBlock {
  nn::LayerNorm norm1, norm2, norm3;
  Attention attn1, attn2;
  FeedForward ff;

  TransformerBlock(const nn::Weights& w, std::int64_t width, std::int64_t heads, std::int64_t context_width);
  // Changes x [B, N, width] (contiguous) in place; context [C, S, context_width] as in Attention::cross.
  void operator()(const at::Tensor& x, const at::Tensor& context) const;
};

}  // namespace kinora::models::unet
