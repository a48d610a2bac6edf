#include "models/wan/vae_layers.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "models/unet/tokens.hpp"

namespace kinora::models::wan {

at::Tensor to_frames(const at::Tensor& x) { return x.transpose(1, 2).flatten(0, 1); }
at::Tensor from_frames(const at::Tensor& pictures, std::int64_t batch) { return pictures.unflatten(0, {batch, -1}).transpose(1, 2); }

CausalConv3d::CausalConv3d(const nn::Weights& w, std::int64_t in, std::int64_t out, const nn::Conv3d::Sides& kernel)
    : conv_(w, in, out, kernel, {1, 1, 1}, {0, kernel[1] / 2, kernel[2] / 2}) {}

at::Tensor CausalConv3d::operator()(const at::Tensor& x, Passage& passage) const {
  const std::int64_t history = conv_.weight.size(2) - 1;
  if (history == 0) return conv_(x);
  auto& kept = passage.kept[this];
  const bool alone = !kept.defined() && x.size(2) == 1;
  if (!kept.defined()) kept = at::zeros({x.size(0), x.size(1), history, x.size(3), x.size(4)}, x.options());
  const auto whole = at::cat({kept, x}, 2);
  kept = whole.narrow(2, whole.size(2) - history, history).clone();
  if (!alone) return conv_(whole);
  // Before the first frame there is nothing: only the kernel's last plane counts.
  const auto plane = conv_.weight.select(2, history).contiguous(at::MemoryFormat::ChannelsLast);
  return from_frames(at::conv2d(to_frames(x), plane, conv_.bias, 1, {conv_.padding[1], conv_.padding[2]}), x.size(0));
}

ChannelNorm::ChannelNorm(const nn::Weights& w, std::int64_t channels, std::size_t spatial) {
  std::vector<std::int64_t> shape(1 + spatial, 1);
  shape[0] = channels;
  gamma_ = w.take("gamma", shape);
}

at::Tensor ChannelNorm::operator()(const at::Tensor& x) const {
  const auto wide = x.to(at::kFloat);
  const auto length = at::linalg_vector_norm(wide, 2, at::OptionalIntArrayRef({1}), /*keepdim=*/true).clamp_min(1e-12);
  return wide.div(length).mul_(gamma_.mul(std::sqrt(static_cast<double>(x.size(1))))).to(x.scalar_type());
}

ResidualBlock::ResidualBlock(const nn::Weights& w, std::int64_t in, std::int64_t out)
    : norm1_(w / "norm1", in, 3),
      norm2_(w / "norm2", out, 3),
      conv1_(w / "conv1", in, out, {3, 3, 3}),
      conv2_(w / "conv2", out, out, {3, 3, 3}) {
  if (in != out) shortcut_.emplace(w / "conv_shortcut", in, out, nn::Conv3d::Sides{1, 1, 1});
}

at::Tensor ResidualBlock::operator()(const at::Tensor& x, Passage& passage) const {
  const auto y = conv2_(norm2_.act(conv1_(norm1_.act(x), passage)), passage);
  return y.add(shortcut_ ? (*shortcut_)(x, passage) : x);
}

FrameAttention::FrameAttention(const nn::Weights& w, std::int64_t channels)
    : norm_(w / "norm", channels, 2), to_qkv_(w / "to_qkv", channels, 3 * channels, 1), proj_(w / "proj", channels, channels, 1) {}

at::Tensor FrameAttention::operator()(const at::Tensor& x) const {
  const auto pictures = to_frames(x);
  const auto parts = unet::to_tokens(to_qkv_(norm_(pictures))).unsqueeze(1).chunk(3, -1);
  const auto y = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]).squeeze(1);
  return from_frames(proj_(unet::to_picture(y, x.size(3), x.size(4))), x.size(0)).add(x);
}

}  // namespace kinora::models::wan
