#pragma once
// WanTransformer3DModel: noisy latents of a video and a prompt (and a picture) -> the velocity. Immutable after construction: any thread.
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "models/video/step_cache.hpp"
#include "models/wan/condition_embedder.hpp"
#include "models/wan/transformer_block.hpp"
#include "models/wan/transformer_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::wan {

class Transformer {
 public:
  using Config = TransformerConfig;
  using Context = std::vector<KeysValues>;  // of each block

  Transformer(const Config& config, const nn::Weights& w);
  const Config& config() const { return config_; }

  // What a prompt is to all blocks, for any number of steps. text [B, S, text_width]; image [B, S', image_width] or undefined, as
  // ConditionEmbedder::image takes it. real: the rows of text that are not padding, where those after them are all equal; they are then
  // one key with the weight of all, which changes nothing but the time it takes. Only for B = 1.
  Context context(const at::Tensor& text, const at::Tensor& image = {}, std::optional<std::int64_t> real = std::nullopt,
                  const video::BeforeBlock& before = {}) const;

  // sample [B, in_channels, T, H, W], sides multiples of the patch; timestep [], [1], [B], or [B, N] for each token (in the order
  // frames, rows, columns). -> [B, out_channels, T, H, W] contiguous. One dtype, the weights' device. cache: of the passes before this one.
  at::Tensor forward(const at::Tensor& sample, const at::Tensor& timestep, const Context& context, video::StepCache* cache = nullptr,
                     const video::BeforeBlock& before = {}) const;

 private:
  Config config_;
  nn::Conv3d patch_embedding_;
  ConditionEmbedder condition_;
  std::vector<TransformerBlock> blocks_;
  nn::Linear proj_out_;
  at::Tensor scale_shift_table_;  // [1, 2, width]
};

}  // namespace kinora::models::wan
