#include "models/t5/t5_encoder.hpp"

#include <ATen/ops/index_select.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>

namespace kinora::models::t5 {

Config Config::read(const nn::JsonConfig& config) {
  constexpr std::int64_t kMaxSize = 1 << 17;
  Config t5;
  t5.bias_per_layer = config.text("model_type", "t5") == "umt5";
  t5.vocab_size = config.integer("vocab_size", t5.bias_per_layer ? 250112 : t5.vocab_size, 1, 1 << 20);
  t5.d_model = config.integer("d_model", t5.d_model, 1, kMaxSize);
  t5.d_kv = config.integer("d_kv", t5.d_kv, 1, kMaxSize);
  t5.d_ff = config.integer("d_ff", t5.bias_per_layer ? 1024 : 2048, 1, kMaxSize);
  t5.num_layers = config.integer("num_layers", t5.bias_per_layer ? 8 : 6, 1, 256);
  t5.num_heads = config.integer("num_heads", t5.bias_per_layer ? 6 : 8, 1, 1024);
  t5.relative_attention_num_buckets = config.integer("relative_attention_num_buckets", 32, 4, 4096);
  t5.relative_attention_max_distance = config.integer("relative_attention_max_distance", 128, 1, 1 << 20);
  if (t5.relative_attention_num_buckets % 4 != 0) config.refuse("relative_attention_num_buckets", "must be a multiple of 4");
  if (t5.relative_attention_max_distance <= t5.relative_attention_num_buckets / 4)
    config.refuse("relative_attention_max_distance", "must exceed a quarter of relative_attention_num_buckets");
  t5.layer_norm_epsilon = config.number("layer_norm_epsilon", t5.layer_norm_epsilon);
  const auto projection = config.text("feed_forward_proj", t5.bias_per_layer ? "gated-gelu" : "relu");
  t5.gated = projection.starts_with("gated-");
  const auto act = t5.gated ? projection.substr(6) : projection;
  t5.act = nn::activation(projection == "gated-gelu" ? "gelu_new" : act, config.file(), "feed_forward_proj");  // its name for the tanh form
  return t5;
}

std::int64_t relative_bucket(std::int64_t distance, std::int64_t buckets, std::int64_t max_distance) {
  const auto side = buckets / 2, exact = side / 2;
  const auto base = distance > 0 ? side : 0, far = std::abs(distance);
  if (far < exact) return base + far;
  // In float, as the reference rounds.
  const float steps = std::log(static_cast<float>(far) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(max_distance) / static_cast<double>(exact))) *
                      static_cast<float>(side - exact);
  return base + std::min(exact + static_cast<std::int64_t>(steps), side - 1);
}

Encoder::Encoder(const Config& config, const nn::Weights& root)
    : config_(config),
      embedding_(root / "shared", config.vocab_size, config.d_model),
      final_norm_(root / "encoder" / "final_layer_norm", config.d_model, config.layer_norm_epsilon) {
  const auto inner = config.num_heads * config.d_kv;
  for (std::int64_t i = 0; i < config.num_layers; ++i) {
    const auto block = root / "encoder" / "block" / i / "layer";
    const auto attention = block / 0 / "SelfAttention", dense = block / 1 / "DenseReluDense";
    const auto linear = [](const nn::Weights& w, std::int64_t in, std::int64_t out) { return nn::Linear(w, in, out, nn::Bias::no); };
    Layer layer;
    layer.attention_norm = nn::RmsNorm(block / 0 / "layer_norm", config.d_model, config.layer_norm_epsilon);
    layer.feed_forward_norm = nn::RmsNorm(block / 1 / "layer_norm", config.d_model, config.layer_norm_epsilon);
    layer.q = linear(attention / "q", config.d_model, inner);
    layer.k = linear(attention / "k", config.d_model, inner);
    layer.v = linear(attention / "v", config.d_model, inner);
    layer.o = linear(attention / "o", inner, config.d_model);
    layer.wi_0 = linear(dense / (config.gated ? "wi_0" : "wi"), config.d_model, config.d_ff);
    if (config.gated) layer.wi_1 = linear(dense / "wi_1", config.d_model, config.d_ff);
    layer.wo = linear(dense / "wo", config.d_ff, config.d_model);
    if (i == 0 || config.bias_per_layer)
      layer.bias_table = (attention / "relative_attention_bias").take("weight", {config.relative_attention_num_buckets, config.num_heads});
    layers_.push_back(std::move(layer));
  }
}

// The bias of a pair depends on its distance alone: row q of the matrix is a window of one line of 2 T - 1 values.
at::Tensor Encoder::attention_bias(const at::Tensor& table, std::int64_t length) const {
  std::vector<std::int64_t> buckets;
  for (std::int64_t distance = 1 - length; distance < length; ++distance)
    buckets.push_back(relative_bucket(distance, config_.relative_attention_num_buckets, config_.relative_attention_max_distance));
  const auto line = at::index_select(table, 0, at::tensor(buckets, at::kLong).to(table.device())).t().contiguous();  // [heads, 2 T - 1]
  return line.as_strided({1, config_.num_heads, length, length}, {0, 2 * length - 1, 1, 1}).flip(2);
}

at::Tensor Encoder::forward(const at::Tensor& ids, const at::Tensor& mask, std::vector<at::Tensor>* states,
                            const std::function<void(std::size_t)>& before_block) const {
  const auto split = [this](const at::Tensor& t) { return t.unflatten(-1, {config_.num_heads, config_.d_kv}).transpose(1, 2); };
  auto x = embedding_(ids).to(final_norm_.weight.scalar_type());
  at::Tensor hidden;  // of padding: the most negative number
  if (mask.defined()) {
    const auto lowest = x.scalar_type() == at::kFloat ? std::numeric_limits<float>::lowest() : -3.3895313892515355e38;  // of bfloat16
    hidden =
        at::zeros({ids.size(0), 1, 1, ids.size(1)}, x.options()).masked_fill_(mask.eq(0).view({ids.size(0), 1, 1, ids.size(1)}), lowest);
  }
  at::Tensor bias;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto& layer = layers_[i];
    if (before_block) before_block(i);
    if (states != nullptr) states->push_back(x);
    if (layer.bias_table.defined()) {
      bias = attention_bias(layer.bias_table, ids.size(1));
      if (hidden.defined()) bias = bias.add(hidden);
    }
    const auto n = layer.attention_norm(x);
    const auto attended = at::scaled_dot_product_attention(split(layer.q(n)), split(layer.k(n)), split(layer.v(n)), bias, /*dropout_p=*/0,
                                                           /*is_causal=*/false, /*scale=*/1.0);
    x = layer.o(attended.transpose(1, 2).flatten(2)).add_(x);
    const auto m = layer.feed_forward_norm(x);
    auto wide = nn::apply(config_.act, layer.wi_0(m));
    if (config_.gated) wide = wide.mul_(layer.wi_1(m));
    x = layer.wo(wide).add_(x);
  }
  if (states != nullptr) states->push_back(x);
  return final_norm_(x);
}

Loaded load(const Config& config, nn::Checkpoint checkpoint, const nn::Placement& placement) {
  // The embedding goes by two names, of which a file may hold either or both.
  if (const auto tied = checkpoint.tensors.extract("encoder.embed_tokens.weight")) {
    if (!checkpoint.tensors.contains("shared.weight")) checkpoint.tensors.emplace("shared.weight", tied.mapped());
  }
  std::erase_if(checkpoint.tensors,
                [](const auto& entry) { return entry.first.starts_with("decoder.") || entry.first == "lm_head.weight"; });
  nn::WeightLoad load(std::move(checkpoint), placement);
  auto model = std::make_shared<const Encoder>(config, load.root());
  auto parameters = load.finish();
  return {std::move(model), std::move(parameters), load.staged()};
}

Loaded load(const std::filesystem::path& folder, const nn::Placement& placement, const std::optional<std::string>& variant) {
  return load(Config::read(nn::JsonConfig::read(folder / "config.json")), nn::open_checkpoint(folder, variant), placement);
}

}  // namespace kinora::models::t5
