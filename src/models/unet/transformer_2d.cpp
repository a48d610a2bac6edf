#include "models/unet/transformer_2d.hpp"

#include <ATen/ops/linear.h>

#include "models/unet/tokens.hpp"

namespace kinora::models::unet {

TokenProjection::TokenProjection(const nn::Weights& w, std::int64_t in, std::int64_t out, bool linear)
    : weight(linear ? w.take("weight", {out, in}) : w.take("weight", {out, in, 1, 1})), bias(w.take("bias", {out})) {}

at::Tensor TokenProjection::operator()(const at::Tensor& tokens) const { return at::linear(tokens, weight.flatten(1), bias); }

Transformer2D::Transformer2D(const nn::Weights& w, const TransformerConfig& config)
    : norm(w / "norm", config.groups, config.channels, 1e-6),
      proj_in(w / "proj_in", config.channels, config.inner(), config.linear_projection),
      proj_out(w / "proj_out", config.inner(), config.channels, config.linear_projection) {
  for (std::int64_t k = 0; k < config.depth; ++k)
    blocks.emplace_back(w / "transformer_blocks" / k, config.inner(), config.heads, config.context);
}

at::Tensor Transformer2D::operator()(const at::Tensor& x, const at::Tensor& context) const {
  const auto tokens = proj_in(to_tokens(norm(x)));
  for (const auto& block : blocks) block(tokens, context);
  return to_picture(proj_out(tokens), x.size(2), x.size(3)).add_(x);
}

}  // namespace kinora::models::unet
