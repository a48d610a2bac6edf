#pragma once
// Wan's attention: queries and keys are normalised over all heads together, then turned by position (self) or not (cross).
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "models/video/token_math.hpp"
#include "models/wan/transformer_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::wan {

using video::HeadsNorm;
using video::KeysValues;

class Attention {
 public:
  Attention(const TransformerConfig& config, const nn::Weights& w, bool cross);

  // x [B, N, width], table: rotary_table() -> [B, N, width].
  at::Tensor self(const at::Tensor& x, const at::Tensor& table) const;
  // text [B, S, width], image [B, S', width] or undefined.
  KeysValues keys_values(const at::Tensor& text, const at::Tensor& image) const;
  at::Tensor cross(const at::Tensor& x, const KeysValues& context) const;

 private:
  at::Tensor heads(const at::Tensor& x) const;  // [B, N, width] -> [B, heads, N, head_width]

  std::int64_t heads_;
  nn::Linear to_q_, to_k_, to_v_, to_out_, add_k_, add_v_;
  HeadsNorm norm_q_, norm_k_, norm_added_k_;
};

}  // namespace kinora::models::wan
