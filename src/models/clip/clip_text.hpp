#pragma once
// CLIP's text tower, with or without projection: CLIPTextModel and CLIPTextModelWithProjection of transformers.
// Immutable after construction: any thread. Weights: "text_model.embeddings.token_embedding.weight" ... "text_projection.weight".
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "models/clip/clip_layers.hpp"

namespace kinora::models::clip {

struct TextConfig {
  TowerConfig tower;
  std::int64_t vocab_size = 49408, max_position_embeddings = 77;
  std::int64_t eos_token_id = 49407;  // of a row's end; 2 stands for the row's highest id (configurations of before 2023)
  bool projection = false;            // "architectures" names CLIPTextModelWithProjection

  static TextConfig read(const nn::JsonConfig& config);
};

class TextModel {
 public:
  TextModel(const TextConfig& config, const nn::Weights& w);
  const TextConfig& config() const { return config_; }
  std::size_t layers() const { return tower_.layers.size(); }
  c10::Device device() const { return positions_.device(); }

  // ids [B, T] int64 on the weights' device, T <= max_position_embeddings, ids below vocab_size. Gives [0] embeddings and [i] the
  // output of layer i for i up to `count`, each [B, T, hidden], without the final norm. Attention is causal; padding is not masked.
  std::vector<at::Tensor> hidden_states(const at::Tensor& ids, std::size_t count) const;
  at::Tensor final_norm(const at::Tensor& x) const { return final_layer_norm_(x); }
  // normed [B, T, hidden], the last layer's output after the final norm -> that of each row's end token, [B, hidden].
  at::Tensor pooled(const at::Tensor& ids, const at::Tensor& normed) const;
  // pooled -> text embedding [B, projection_dim]; only with projection.
  at::Tensor projected(const at::Tensor& pooled) const { return projection_->operator()(pooled); }

 private:
  TextConfig config_;
  nn::Embedding tokens_;
  at::Tensor positions_;  // [max_position_embeddings, hidden]
  Tower tower_;
  nn::LayerNorm final_layer_norm_;
  std::optional<nn::Linear> projection_;
};

}  // namespace kinora::models::clip
