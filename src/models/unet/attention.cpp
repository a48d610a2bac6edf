#include "models/unet/attention.hpp"

#include <ATen/ops/scaled_dot_product_attention.h>

namespace kinora::models::unet {

Attention::Attention(const nn::Weights& w, const AttentionSizes& sizes, nn::Bias qkv_bias)
    : to_q(w / "to_q", sizes.query, sizes.inner, qkv_bias),
      to_k(w / "to_k", sizes.context, sizes.inner, qkv_bias),
      to_v(w / "to_v", sizes.context, sizes.inner, qkv_bias),
      to_out(w / "to_out" / 0, sizes.inner, sizes.query),
      heads(sizes.heads) {}

at::Tensor Attention::attend(const at::Tensor& x, const at::Tensor& context) const {
  const auto split = [this](const at::Tensor& t) { return t.unflatten(-1, {heads, -1}).transpose(1, 2); };
  const auto y = at::scaled_dot_product_attention(split(to_q(x)), split(to_k(context)), split(to_v(context)));
  return to_out(y.transpose(1, 2).flatten(2));
}

at::Tensor Attention::self(const at::Tensor& x) const { return attend(x, x); }

at::Tensor Attention::cross(const at::Tensor& x, const at::Tensor& context) const {
  if (context.size(1) == 1) return to_out(to_v(context));  // the softmax over one token is 1
  return attend(x.reshape({context.size(0), -1, x.size(2)}), context);
}

}  // namespace kinora::models::unet
