#pragma once
// CLIP as open_clip names and stores it ("transformer.resblocks.0.attn.in_proj_weight": query, key and value in one matrix), as
// transformers does ("text_model.encoder.layers.0.self_attn.q_proj.weight").
#include <string>
#include <string_view>
#include <vector>

namespace kinora::models::single_file {

struct ClipPart {
  std::string name;
  int third = -1;           // 0, 1, 2: that third of the rows; -1: the whole
  bool transposed = false;  // projections are stored the other way round
};

// path: a weight without prefix. Empty when it is none of the tower's; no name for what transformers does not have (logit_scale).
std::vector<ClipPart> open_clip_text_parts(std::string_view path);
std::vector<ClipPart> open_clip_vision_parts(std::string_view path);  // without "visual."

}  // namespace kinora::models::single_file
