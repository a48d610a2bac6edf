#include "models/clip/clip_vision.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>

#include <algorithm>
#include <stdexcept>

namespace kinora::models::clip {

VisionConfig VisionConfig::read(const nn::JsonConfig& config) {
  VisionConfig vision;
  vision.tower = read_tower(
      config, {.hidden_size = 768, .intermediate_size = 3072, .num_hidden_layers = 12, .num_attention_heads = 12, .projection_dim = 512});
  vision.num_channels = config.integer("num_channels", vision.num_channels, 1, 64);
  vision.image_size = config.integer("image_size", vision.image_size, 1, 4096);
  vision.patch_size = config.integer("patch_size", vision.patch_size, 1, vision.image_size);
  const auto names = config.texts("architectures", {});
  vision.projection = std::find(names.begin(), names.end(), "CLIPVisionModelWithProjection") != names.end();
  return vision;
}

VisionModel::VisionModel(const VisionConfig& config, const nn::Weights& root)
    : config_(config),
      class_embedding_((root / "vision_model" / "embeddings").take("class_embedding", {config.tower.hidden_size})),
      patch_weight_((root / "vision_model" / "embeddings" / "patch_embedding")
                        .take("weight", {config.tower.hidden_size, config.num_channels, config.patch_size, config.patch_size})),
      positions_((root / "vision_model" / "embeddings" / "position_embedding")
                     .take("weight", {(config.image_size / config.patch_size) * (config.image_size / config.patch_size) + 1,
                                      config.tower.hidden_size})),
      pre_layernorm_(root / "vision_model" / "pre_layrnorm", config.tower.hidden_size, config.tower.layer_norm_eps),  // their spelling
      post_layernorm_(root / "vision_model" / "post_layernorm", config.tower.hidden_size, config.tower.layer_norm_eps),
      tower_(config.tower, root / "vision_model" / "encoder") {
  if (config.projection)
    projection_.emplace(root / "visual_projection", config.tower.hidden_size, config.tower.projection_dim, nn::Bias::no);
}

std::vector<at::Tensor> VisionModel::hidden_states(const at::Tensor& pixels, std::size_t count) const {
  const auto side = config_.image_size;
  if (pixels.dim() != 4 || pixels.size(1) != config_.num_channels || pixels.size(2) != side || pixels.size(3) != side)
    throw std::invalid_argument("the picture encoder takes pictures of " + std::to_string(side) + "x" + std::to_string(side) + " pixels");
  const auto patches = at::conv2d(pixels, patch_weight_, /*bias=*/{}, config_.patch_size).flatten(2).transpose(1, 2);
  const auto class_token = class_embedding_.expand({pixels.size(0), 1, -1});
  return tower_.hidden_states(pre_layernorm_(at::cat({class_token, patches}, 1).add_(positions_)), /*causal=*/false, count);
}

at::Tensor VisionModel::pooled(const at::Tensor& last) const { return post_layernorm_(last.select(1, 0)); }

}  // namespace kinora::models::clip
