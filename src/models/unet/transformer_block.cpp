#include "models/unet/transformer_block.hpp"

namespace kinora::models::unet {

TransformerBlock::TransformerBlock(const nn::Weights& w, std::int64_t width, std::int64_t heads, std::int64_t context_width)
    : norm1(w / "norm1", width),
      norm2(w / "norm2", width),
      norm3(w / "norm3", width),
      attn1(w / "attn1", {.query = width, .context = width, .heads = heads, .inner = width}),
      attn2(w / "attn2", {.query = width, .context = context_width, .heads = heads, .inner = width}),
      ff(w / "ff", width) {}

void TransformerBlock::operator()(const at::Tensor& x, const at::Tensor& context) const {
  x.add_(attn1.self(norm1(x)));
  x.view({context.size(0), -1, x.size(2)}).add_(attn2.cross(norm2(x), context));
  x.add_(ff(norm3(x)));
}

}  // namespace kinora::models::unet
