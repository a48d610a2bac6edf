#pragma once
// One block of Wan's transformer: self-attention, cross-attention to prompt and picture, feed-forward. The step's time shifts and scales
// what goes into the first and the last and gates what comes out; these and the norms are computed in float32.
#include <ATen/core/Tensor.h>

#include "models/wan/attention.hpp"
#include "models/wan/transformer_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::wan {

using video::Times;

class TransformerBlock {
 public:
  TransformerBlock(const TransformerConfig& config, const nn::Weights& w);
  KeysValues keys_values(const at::Tensor& text, const at::Tensor& image) const { return attn2_.keys_values(text, image); }
  // x [B, N, width] -> [B, N, width].
  at::Tensor operator()(const at::Tensor& x, const Times& times, const KeysValues& context, const at::Tensor& table) const;

 private:
  double eps_;
  at::Tensor scale_shift_table_;  // [1, 6, width]
  Attention attn1_, attn2_;
  nn::LayerNorm norm2_;  // without size: none
  nn::Linear ffn_in_, ffn_out_;
};

}  // namespace kinora::models::wan
