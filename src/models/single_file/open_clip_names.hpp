#pragma once
// CLIP as open_clip names and stores it ("transformer.resblocks.0.attn.in_proj_weight": query, key and value in one matrix), and as Wan's
// authors do ("transformer.0.attn.to_qkv.weight"), as transformers does ("text_model.encoder.layers.0.self_attn.q_proj.weight").
#include <string>
#include <string_view>
#include <vector>

#include "nn/checkpoint.hpp"

namespace kinora::models::single_file {

struct ClipPart {
  std::string name;
  int third = -1;           // 0, 1, 2: that third of the rows; -1: the whole
  bool transposed = false;  // projections are stored the other way round
  std::size_t dims = 0;     // at most as many: leading sides of 1 are dropped; 0: as stored
};

// path: a weight without prefix. Empty when it is none of the tower's; no name for what transformers does not have (logit_scale).
std::vector<ClipPart> open_clip_text_parts(std::string_view path);
std::vector<ClipPart> open_clip_vision_parts(std::string_view path);  // without "visual."
std::vector<ClipPart> wan_clip_vision_parts(std::string_view path);   // without "visual."

// What `part` is of the stored tensor `name` of `file`. Throws nn::LoadError where it cannot be.
nn::StoredTensor taken(nn::StoredTensor whole, const ClipPart& part, const std::string& file, const std::string& name);

}  // namespace kinora::models::single_file
