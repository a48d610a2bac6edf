#include "models/wan/transformer_block.hpp"

namespace kinora::models::wan {

using video::gated_sum;
using video::modulated_norm;

TransformerBlock::TransformerBlock(const TransformerConfig& c, const nn::Weights& w)
    : eps_(c.eps),
      scale_shift_table_(w.wide().take("scale_shift_table", {1, 6, c.width()})),
      attn1_(c, w / "attn1", false),
      attn2_(c, w / "attn2", true),
      ffn_in_(w / "ffn" / "net" / 0 / "proj", c.width(), c.ffn_width),
      ffn_out_(w / "ffn" / "net" / 2, c.ffn_width, c.width()) {
  if (c.cross_attention_norm) norm2_ = nn::LayerNorm((w / "norm2").wide(), c.width(), c.eps);
}

at::Tensor TransformerBlock::operator()(const at::Tensor& x, const Times& times, const KeysValues& context, const at::Tensor& table) const {
  const auto all = scale_shift_table_.add(times.modulation);
  const auto part = [&](std::int64_t i) { return times.spread(all.select(1, i), x.size(0)); };
  auto y = gated_sum(x, attn1_.self(modulated_norm(x, part(0), part(1), eps_), table), part(2));
  const auto asks = norm2_.size > 0 ? norm2_(y.to(at::kFloat)).to(y.scalar_type()) : y;
  y = y.add(attn2_.cross(asks, context));
  const auto inner = nn::apply_in_place(nn::Act::gelu_tanh, ffn_in_(modulated_norm(y, part(3), part(4), eps_)));
  return gated_sum(y, ffn_out_(inner), part(5));
}

}  // namespace kinora::models::wan
