#pragma once
// Timesteps, prompts and pictures as tokens of the transformer's width.
#include <ATen/core/Tensor.h>

#include "models/unet/timestep_embedding.hpp"
#include "models/wan/transformer_block.hpp"
#include "models/wan/transformer_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::wan {

class ConditionEmbedder {
 public:
  ConditionEmbedder(const TransformerConfig& config, const nn::Weights& w);

  // timestep [], [1], [B] or [B, N] (one for each token), of any type.
  Times times(const at::Tensor& timestep) const;
  at::Tensor text(const at::Tensor& embeddings) const;  // [B, S, text_width] -> [B, S, width]
  // [B, S, image_width] -> [B, S, width]; with positions the tokens of two pictures, [2 B, S, image_width], become one row of 2 S.
  at::Tensor image(const at::Tensor& embeddings) const;

 private:
  std::int64_t frequency_width_;
  unet::TimestepEmbedding time_embedder_;  // float32
  nn::Linear time_proj_, text_1_, text_2_;
  struct Image {
    nn::LayerNorm norm1, norm2;  // float32
    nn::Linear in, out;
    at::Tensor positions;  // [1, S, image_width] or undefined
  };
  Image image_;
};

}  // namespace kinora::models::wan
