#include "models/ltx/transformer.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/complex.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <numbers>

namespace kinora::models::ltx {
namespace {

constexpr std::int64_t kTimeWaves = 256;
constexpr double kHeadsEps = 1e-5, kMasked = -10000.0;

nn::Bias bias(bool with) { return with ? nn::Bias::yes : nn::Bias::no; }

// The norm without weights, in x's type.
at::Tensor normed(const nn::RmsNorm& norm, const at::Tensor& x) {
  const auto y = video::unit_scaled(x, norm.eps).to(x.scalar_type());
  return norm.weight.defined() ? y.mul(norm.weight) : y;
}

}  // namespace

TransformerConfig TransformerConfig::read(const nn::JsonConfig& c) {
  constexpr std::int64_t kWidest = 1 << 16;
  TransformerConfig t;
  t.in_channels = c.integer("in_channels", 128, 1, 4096);
  t.out_channels = c.integer("out_channels", t.in_channels, 1, 4096);
  for (const char* patch : {"patch_size", "patch_size_t"}) c.integer(patch, 1, 1, 1);
  t.heads = c.integer("num_attention_heads", 32, 1, 1024);
  t.head_width = c.integer("attention_head_dim", 64, 1, 1024);
  if (t.width() % 2 != 0) c.refuse("attention_head_dim", "must make an even width: positions turn pairs of values");
  t.context_width = c.integer("cross_attention_dim", 2048, 1, kWidest);
  if (t.context_width != t.width())
    c.refuse("cross_attention_dim", "must be num_attention_heads x attention_head_dim, " + std::to_string(t.width()));
  t.caption_width = c.integer("caption_channels", 4096, 1, kWidest);
  t.layers = c.integer("num_layers", 28, 1, 256);
  c.choice("activation_fn", "gelu-approximate", {"gelu-approximate"});
  c.choice("qk_norm", "rms_norm_across_heads", {"rms_norm_across_heads"});
  t.attention_bias = c.flag("attention_bias", true);
  t.attention_out_bias = c.flag("attention_out_bias", true);
  t.norm_affine = c.flag("norm_elementwise_affine", false);
  t.eps = c.number("norm_eps", 1e-6);
  if (t.eps < 0 || t.eps > 1) c.refuse("norm_eps", "must lie between 0 and 1");
  return t;
}

// In float32 throughout and in this order, as the model was trained: the angles are large.
at::Tensor rotary_table(const TokenGrid& grid, std::int64_t width, c10::Device device) {
  constexpr std::array<double, 3> kBase{20, 2048, 2048};
  std::vector<at::Tensor> places;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::array<std::int64_t, 3> shape{1, 1, 1};
    shape[axis] = grid.count[axis];
    const auto along = at::arange(grid.count[axis], at::kFloat).mul(grid.scale[axis]).div(kBase[axis]);
    places.push_back(along.view(shape).expand(grid.count).flatten());
  }
  const auto place = at::stack(places, -1).unsqueeze(-1).mul(2).sub(1);  // [N, 3, 1]
  const auto frequencies = at::pow(10000.0, at::linspace(0, 1, width / 6, at::kFloat)).mul(std::numbers::pi).div(2.0);
  const auto angles = frequencies.mul(place).transpose(-1, -2).flatten(1);  // [N, 3 K]: axes fastest
  auto table = at::complex(angles.cos(), angles.sin());
  // The first pairs, where the width is no multiple of 6, are not turned.
  const auto still = at::complex(at::ones({angles.size(0), width % 6 / 2}), at::zeros({angles.size(0), width % 6 / 2}));
  return at::cat({still, table}, 1).unsqueeze(0).to(device);
}

Attention::Attention(const TransformerConfig& c, const nn::Weights& w, std::int64_t context_width)
    : heads_(c.heads),
      to_q_(w / "to_q", c.width(), c.width(), bias(c.attention_bias)),
      to_k_(w / "to_k", context_width, c.width(), bias(c.attention_bias)),
      to_v_(w / "to_v", context_width, c.width(), bias(c.attention_bias)),
      to_out_(w / "to_out" / 0, c.width(), c.width(), bias(c.attention_out_bias)),
      norm_q_(w / "norm_q", c.width(), kHeadsEps),
      norm_k_(w / "norm_k", c.width(), kHeadsEps) {}

at::Tensor Attention::self(const at::Tensor& x, const at::Tensor& table) const {
  const auto placed = [&](const at::Tensor& t) { return heads(video::turned(t, table)); };
  const auto y = at::scaled_dot_product_attention(placed(norm_q_(to_q_(x))), placed(norm_k_(to_k_(x))), heads(to_v_(x)));
  return to_out_(y.transpose(1, 2).flatten(2));
}

video::KeysValues Attention::keys_values(const at::Tensor& text) const {
  return {.keys = heads(norm_k_(to_k_(text))), .values = heads(to_v_(text)), .bias = {}, .image_keys = {}, .image_values = {}};
}

at::Tensor Attention::cross(const at::Tensor& x, const video::KeysValues& context) const {
  const auto y = at::scaled_dot_product_attention(heads(norm_q_(to_q_(x))), context.keys, context.values, context.bias);
  return to_out_(y.transpose(1, 2).flatten(2));
}

Transformer::Block::Block(const Config& c, const nn::Weights& w)
    : scale_shift_table(w.take("scale_shift_table", {6, c.width()})),
      attn1(c, w / "attn1", c.width()),
      attn2(c, w / "attn2", c.context_width),
      norm1(w / "norm1", c.width(), c.eps, c.norm_affine),
      norm2(w / "norm2", c.width(), c.eps, c.norm_affine),
      in(w / "ff" / "net" / 0 / "proj", c.width(), 4 * c.width()),
      out(w / "ff" / "net" / 2, 4 * c.width(), c.width()) {}

Transformer::Transformer(const Config& c, const nn::Weights& w)
    : config_(c),
      proj_in_(w / "proj_in", c.in_channels, c.width()),
      proj_out_(w / "proj_out", c.width(), c.out_channels),
      caption_1_(w / "caption_projection" / "linear_1", c.caption_width, c.width()),
      caption_2_(w / "caption_projection" / "linear_2", c.width(), c.width()),
      time_linear_(w / "time_embed" / "linear", c.width(), 6 * c.width()),
      time_embedding_(w / "time_embed" / "emb" / "timestep_embedder", kTimeWaves, c.width(), c.width()),
      scale_shift_table_(w.take("scale_shift_table", {2, c.width()})) {
  for (std::int64_t i = 0; i < c.layers; ++i) blocks_.emplace_back(c, w / "transformer_blocks" / i);
}

Transformer::Context Transformer::context(const at::Tensor& text, const at::Tensor& mask, const video::BeforeBlock& before) const {
  const auto tokens = caption_2_(nn::apply_in_place(nn::Act::gelu_tanh, caption_1_(text)));
  const auto bias = (1 - mask.to(text.scalar_type())).mul_(kMasked).unsqueeze(1).unsqueeze(1);
  Context context;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (before) before(i);
    context.push_back(blocks_[i].attn2.keys_values(tokens));
    context.back().bias = bias;
  }
  return context;
}

at::Tensor Transformer::apply(const Block& block, const at::Tensor& x, const video::Times& times, const video::KeysValues& context,
                              const at::Tensor& table) const {
  const auto all = times.modulation.add(block.scale_shift_table);
  const auto part = [&](std::int64_t i) { return times.spread(all.select(1, i), x.size(0)); };
  const auto modulated = [](const at::Tensor& t, const at::Tensor& shift, const at::Tensor& scale) {
    return t.mul(scale.add(1)).add_(shift);
  };
  auto y = at::addcmul(x, block.attn1.self(modulated(normed(block.norm1, x), part(0), part(1)), table), part(2));
  y = y.add(block.attn2.cross(y, context));
  const auto inner = nn::apply_in_place(nn::Act::gelu_tanh, block.in(modulated(normed(block.norm2, y), part(3), part(4))));
  return at::addcmul(y, block.out(inner), part(5));
}

at::Tensor Transformer::forward(const at::Tensor& tokens, const at::Tensor& timestep, const Context& context, const at::Tensor& table,
                                video::StepCache* cache, const video::BeforeBlock& before) const {
  video::Times times;
  const auto waves = unet::sinusoidal_embedding(video::distinct_times(timestep, times), kTimeWaves).to(time_embedding_.dtype());
  times.embedding = time_embedding_(waves);
  times.modulation = time_linear_(nn::apply(nn::Act::silu, times.embedding)).unflatten(1, {6, -1});
  const auto x = video::through_blocks(proj_in_(tokens), blocks_.size(), cache, [&](std::size_t i, const at::Tensor& t) {
    if (before) before(i);
    return apply(blocks_[i], t, times, context[i], table);
  });
  const auto ends = times.embedding.unsqueeze(1).add(scale_shift_table_).to(at::kFloat);
  const auto part = [&](std::int64_t i) { return times.spread(ends.select(1, i), x.size(0)); };
  return proj_out_(video::modulated_norm(x, part(0), part(1), 1e-6));
}

}  // namespace kinora::models::ltx
