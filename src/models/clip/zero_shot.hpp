#pragma once
// Pictures against descriptions: both towers of CLIP (CLIPModel of transformers) or SigLIP (SiglipModel) and the scores between them.
// Immutable after construction: any thread.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "nn/weights.hpp"

namespace kinora::models::clip {

class ZeroShot {
 public:
  virtual ~ZeroShot() = default;
  // pixels [B, 3, H, W], as the folder's preprocessor_config.json asks for -> [B, D], each of length 1.
  virtual at::Tensor image_embeds(const at::Tensor& pixels) const = 0;
  // ids [N, T] int64 -> [N, D], each of length 1.
  virtual at::Tensor text_embeds(const at::Tensor& ids) const = 0;
  // Embeddings [B, D] and [N, D] -> [B, N].
  virtual at::Tensor logits(const at::Tensor& image, const at::Tensor& text) const = 0;
  // logits -> [B, N]: CLIP's share one whole over the descriptions, SigLIP's are apart.
  virtual at::Tensor probabilities(const at::Tensor& logits) const = 0;
};

// A folder whose config.json has model_type clip or siglip. Errors: nn::LoadError.
std::unique_ptr<const ZeroShot> load_zero_shot(const std::filesystem::path& folder, const nn::Placement& placement,
                                               const std::optional<std::string>& variant = std::nullopt);

// x [B, D] -> x / |x|.
at::Tensor unit_length(const at::Tensor& x);

}  // namespace kinora::models::clip
