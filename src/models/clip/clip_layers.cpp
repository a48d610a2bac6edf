#include "models/clip/clip_layers.hpp"

#include <ATen/ops/scaled_dot_product_attention.h>

namespace kinora::models::clip {

TowerConfig read_tower(const nn::JsonConfig& config, const TowerConfig& defaults, std::string_view default_act) {
  constexpr std::int64_t kMaxSize = 1 << 16;
  TowerConfig tower;
  tower.hidden_size = config.integer("hidden_size", defaults.hidden_size, 1, kMaxSize);
  tower.intermediate_size = config.integer("intermediate_size", defaults.intermediate_size, 1, kMaxSize);
  tower.num_hidden_layers = config.integer("num_hidden_layers", defaults.num_hidden_layers, 1, 256);
  tower.num_attention_heads = config.integer("num_attention_heads", defaults.num_attention_heads, 1, 1024);
  tower.projection_dim = config.integer("projection_dim", defaults.projection_dim, 1, kMaxSize);
  tower.hidden_act = nn::activation(config.text("hidden_act", default_act), config.file(), "hidden_act");
  tower.layer_norm_eps = config.number("layer_norm_eps", defaults.layer_norm_eps);
  if (tower.hidden_size % tower.num_attention_heads != 0)
    config.refuse("num_attention_heads", "must divide hidden_size, " + std::to_string(tower.hidden_size));
  return tower;
}

Layer::Layer(const TowerConfig& config, const nn::Weights& w)
    : layer_norm1(w / "layer_norm1", config.hidden_size, config.layer_norm_eps),
      layer_norm2(w / "layer_norm2", config.hidden_size, config.layer_norm_eps),
      q_proj(w / "self_attn" / "q_proj", config.hidden_size, config.hidden_size),
      k_proj(w / "self_attn" / "k_proj", config.hidden_size, config.hidden_size),
      v_proj(w / "self_attn" / "v_proj", config.hidden_size, config.hidden_size),
      out_proj(w / "self_attn" / "out_proj", config.hidden_size, config.hidden_size),
      fc1(w / "mlp" / "fc1", config.hidden_size, config.intermediate_size),
      fc2(w / "mlp" / "fc2", config.intermediate_size, config.hidden_size),
      heads(config.num_attention_heads),
      act(config.hidden_act) {}

at::Tensor Layer::operator()(const at::Tensor& x, bool causal) const {
  const auto split = [this](const at::Tensor& t) { return t.unflatten(-1, {heads, -1}).transpose(1, 2); };
  const auto n = layer_norm1(x);
  const auto attended =
      at::scaled_dot_product_attention(split(q_proj(n)), split(k_proj(n)), split(v_proj(n)), /*attn_mask=*/{}, /*dropout_p=*/0, causal);
  const auto y = out_proj(attended.transpose(1, 2).flatten(2)).add_(x);
  return fc2(nn::apply(act, fc1(layer_norm2(y)))).add_(y);
}

Tower::Tower(const TowerConfig& config, const nn::Weights& w) {
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) layers.emplace_back(config, w / "layers" / i);
}

std::vector<at::Tensor> Tower::hidden_states(const at::Tensor& x, bool causal, std::size_t count) const {
  std::vector<at::Tensor> states{x};
  for (std::size_t i = 0; i < count; ++i) states.push_back(layers.at(i)(states.back(), causal));
  return states;
}

}  // namespace kinora::models::clip
