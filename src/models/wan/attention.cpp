#include "models/wan/attention.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace kinora::models::wan {

Attention::Attention(const TransformerConfig& c, const nn::Weights& w, bool cross)
    : heads_(c.heads),
      to_q_(w / "to_q", c.width(), c.width()),
      to_k_(w / "to_k", c.width(), c.width()),
      to_v_(w / "to_v", c.width(), c.width()),
      to_out_(w / "to_out" / 0, c.width(), c.width()),
      norm_q_(w / "norm_q", c.width(), c.eps),
      norm_k_(w / "norm_k", c.width(), c.eps) {
  if (!cross || c.added_kv_width == 0) return;
  add_k_ = nn::Linear(w / "add_k_proj", c.added_kv_width, c.width());
  add_v_ = nn::Linear(w / "add_v_proj", c.added_kv_width, c.width());
  norm_added_k_ = HeadsNorm(w / "norm_added_k", c.width(), c.eps);
}

at::Tensor Attention::heads(const at::Tensor& x) const { return x.unflatten(-1, {heads_, -1}).transpose(1, 2); }

at::Tensor Attention::self(const at::Tensor& x, const at::Tensor& table) const {
  const auto placed = [&](const at::Tensor& t) { return video::turned(t.unflatten(-1, {heads_, -1}), table).transpose(1, 2); };
  const auto y = at::scaled_dot_product_attention(placed(norm_q_(to_q_(x))), placed(norm_k_(to_k_(x))), heads(to_v_(x)));
  return to_out_(y.transpose(1, 2).flatten(2));
}

KeysValues Attention::keys_values(const at::Tensor& text, const at::Tensor& image) const {
  const bool own = image.defined() && add_k_.weight.defined();
  const auto tokens = image.defined() && !own ? at::cat({image, text}, 1) : text;
  KeysValues found{.keys = heads(norm_k_(to_k_(tokens))), .values = heads(to_v_(tokens)), .bias = {}, .image_keys = {}, .image_values = {}};
  if (own) {
    found.image_keys = heads(norm_added_k_(add_k_(image)));
    found.image_values = heads(add_v_(image));
  }
  return found;
}

at::Tensor Attention::cross(const at::Tensor& x, const KeysValues& context) const {
  const auto queries = heads(norm_q_(to_q_(x)));
  const auto bias = context.bias.defined() ? std::optional(context.bias) : std::nullopt;
  auto y = at::scaled_dot_product_attention(queries, context.keys, context.values, bias);
  if (context.image_keys.defined()) y = y.add(at::scaled_dot_product_attention(queries, context.image_keys, context.image_values));
  return to_out_(y.transpose(1, 2).flatten(2));
}

}  // namespace kinora::models::wan
