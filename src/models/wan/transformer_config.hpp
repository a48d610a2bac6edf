#pragma once
// config.json of WanTransformer3DModel.
#include <array>
#include <cstdint>

#include "nn/json_config.hpp"

namespace kinora::models::wan {

struct TransformerConfig {
  std::array<std::int64_t, 3> patch{1, 2, 2};  // frames, rows, columns of latents in one token
  std::int64_t heads = 40, head_width = 128;
  std::int64_t in_channels = 16, out_channels = 16;
  std::int64_t text_width = 4096, frequency_width = 256, ffn_width = 13824;
  std::int64_t layers = 40;
  bool cross_attention_norm = true;
  double eps = 1e-6;
  std::int64_t image_width = 0;       // of picture tokens; 0: takes none
  std::int64_t added_kv_width = 0;    // 0: no keys and values of their own for picture tokens
  std::int64_t image_positions = 0;   // picture tokens that have a position (first and last frame); 0: none
  std::int64_t max_positions = 1024;  // tokens along one axis

  std::int64_t width() const { return heads * head_width; }
  std::int64_t patch_volume() const { return patch[0] * patch[1] * patch[2]; }

  static TransformerConfig read(const nn::JsonConfig& config);
};

}  // namespace kinora::models::wan
