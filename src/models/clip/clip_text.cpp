#include "models/clip/clip_text.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/index.h>

#include <algorithm>

namespace kinora::models::clip {

TextConfig TextConfig::read(const nn::JsonConfig& config) {
  constexpr std::int64_t kMaxTokens = 1 << 20;
  TextConfig text;
  text.tower = read_tower(
      config, {.hidden_size = 512, .intermediate_size = 2048, .num_hidden_layers = 12, .num_attention_heads = 8, .projection_dim = 512});
  text.vocab_size = config.integer("vocab_size", text.vocab_size, 1, kMaxTokens);
  text.max_position_embeddings = config.integer("max_position_embeddings", text.max_position_embeddings, 2, 1 << 16);
  text.eos_token_id = config.integer("eos_token_id", text.eos_token_id, 0, kMaxTokens);
  const auto names = config.texts("architectures", {});
  text.projection = std::find(names.begin(), names.end(), "CLIPTextModelWithProjection") != names.end();
  return text;
}

TextModel::TextModel(const TextConfig& config, const nn::Weights& root)
    : config_(config),
      tokens_(root / "text_model" / "embeddings" / "token_embedding", config.vocab_size, config.tower.hidden_size),
      positions_((root / "text_model" / "embeddings" / "position_embedding")
                     .take("weight", {config.max_position_embeddings, config.tower.hidden_size})),
      tower_(config.tower, root / "text_model" / "encoder"),
      final_layer_norm_(root / "text_model" / "final_layer_norm", config.tower.hidden_size, config.tower.layer_norm_eps) {
  if (config.projection) projection_.emplace(root / "text_projection", config.tower.hidden_size, config.tower.projection_dim, nn::Bias::no);
}

std::vector<at::Tensor> TextModel::hidden_states(const at::Tensor& ids, std::size_t count) const {
  return tower_.hidden_states(tokens_(ids).add_(positions_.narrow(0, 0, ids.size(1))), /*causal=*/true, count);
}

at::Tensor TextModel::pooled(const at::Tensor& ids, const at::Tensor& normed) const {
  const auto ends = config_.eos_token_id == 2 ? ids.argmax(-1) : ids.eq(config_.eos_token_id).to(at::kInt).argmax(-1);
  return at::index(normed, {at::arange(ids.size(0), ends.options()), ends});
}

}  // namespace kinora::models::clip
