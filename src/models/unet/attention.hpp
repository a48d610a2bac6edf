#pragma once
// Multi-head attention over tokens: to_out(softmax(q k^T / sqrt(head size)) v), heads side by side in the last dimension.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/layers.hpp"

namespace kinora::models::unet {

struct AttentionSizes {
  std::int64_t query = 0, context = 0;  // widths of the tokens that ask and of those that answer
  std::int64_t heads = 1, inner = 0;    // inner = heads * head size
};

struct Attention {
  nn::Linear to_q, to_k, to_v, to_out;
  std::int64_t heads = 1;

  Attention(const nn::Weights& w, const AttentionSizes& sizes, nn::Bias qkv_bias = nn::Bias::no);
  // x [B, N, query] among itself -> [B, N, query].
  at::Tensor self(const at::Tensor& x) const;
  // x [B, N, query] to context [C, S, context], each row of it for B / C consecutive rows of x. Gives what x is to be increased by,
  // [C, B / C * N, query], or, when one token is all the context, [C, 1, query]: that attention does not depend on x.
  at::Tensor cross(const at::Tensor& x, const at::Tensor& context) const;

 private:
  at::Tensor attend(const at::Tensor& x, const at::Tensor& context) const;
};

}  // namespace kinora::models::unet
