#pragma once
// The transformer that CLIP's text and vision towers share: pre-norm layers, biased projections, scaled attention.
#include <ATen/core/Tensor.h>

#include <string_view>
#include <vector>

#include "nn/json_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::clip {

// The members that both towers' config.json share, with their defaults.
struct TowerConfig {
  std::int64_t hidden_size = 0, intermediate_size = 0, num_hidden_layers = 0, num_attention_heads = 0, projection_dim = 0;
  nn::Act hidden_act = nn::Act::quick_gelu;
  double layer_norm_eps = 1e-5;
};
TowerConfig read_tower(const nn::JsonConfig& config, const TowerConfig& defaults, std::string_view default_act = "quick_gelu");

struct Layer {
  nn::LayerNorm layer_norm1, layer_norm2;
  nn::Linear q_proj, k_proj, v_proj, out_proj, fc1, fc2;
  std::int64_t heads = 1;
  nn::Act act = nn::Act::quick_gelu;

  Layer(const TowerConfig& config, const nn::Weights& w);
  at::Tensor operator()(const at::Tensor& x, bool causal) const;  // [B, T, hidden] -> the same
};

struct Tower {
  std::vector<Layer> layers;

  Tower(const TowerConfig& config, const nn::Weights& w);
  // The input and the outputs of the first `count` layers: count + 1 tensors [B, T, hidden].
  std::vector<at::Tensor> hidden_states(const at::Tensor& x, bool causal, std::size_t count) const;
};

}  // namespace kinora::models::clip
