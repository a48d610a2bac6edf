#pragma once
// CLIP's vision tower with projection (CLIPVisionModelWithProjection of transformers), the picture encoder of Stable Video Diffusion and
// Wan image-to-video. Immutable after construction: any thread. Weights: "vision_model.*", "visual_projection.weight".
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "models/clip/clip_layers.hpp"

namespace kinora::models::clip {

struct VisionConfig {
  TowerConfig tower;
  std::int64_t num_channels = 3, image_size = 224, patch_size = 32;
  bool projection = false;  // "architectures" names CLIPVisionModelWithProjection; CLIPVisionModel has none

  static VisionConfig read(const nn::JsonConfig& config);
};

class VisionModel {
 public:
  VisionModel(const VisionConfig& config, const nn::Weights& w);
  const VisionConfig& config() const { return config_; }
  std::size_t layers() const { return tower_.layers.size(); }

  // pixels [B, num_channels, image_size, image_size], normalised -> [0] patches and class token after the first norm, [i] the output of
  // layer i for i up to `count`, each [B, 1 + (image_size / patch_size)^2, hidden]. Throws std::invalid_argument for other sizes.
  std::vector<at::Tensor> hidden_states(const at::Tensor& pixels, std::size_t count) const;
  // last: the output of the last layer -> that of the class token after the last norm, [B, hidden].
  at::Tensor pooled(const at::Tensor& last) const;
  // pooled -> picture embedding [B, projection_dim]; only with projection.
  at::Tensor projected(const at::Tensor& pooled) const { return projection_->operator()(pooled); }

 private:
  VisionConfig config_;
  at::Tensor class_embedding_, patch_weight_, positions_;
  nn::LayerNorm pre_layernorm_, post_layernorm_;
  Tower tower_;
  std::optional<nn::Linear> projection_;
};

}  // namespace kinora::models::clip
