#pragma once
// Prompts to the embeddings that Stable Diffusion's denoisers take: one CLIP text encoder (SD 1.x, 2.x) or one or two (SDXL).
// Immutable after construction: any thread; the text models must not be changed while encode() runs.
//
// Weights (prompt_weights.hpp) scale a token's embedding relative to that of the empty prompt at the same position,
// e + w (z - e), as ComfyUI and compel do; the mean is not restored. A prompt without weights and of one row is encoded exactly as the
// reference does. Longer prompts give rows side by side (prompt_chunks.hpp); shorter ones of the same call are filled with rows of the
// empty prompt. The pooled embedding is that of the first row, without weights.
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/clip/clip_load.hpp"
#include "models/clip/prompt_chunks.hpp"
#include "nn/tokenizers/clip_tokenizer.hpp"

namespace kinora::models::clip {

enum class PromptSyntax {
  weighted,  // brackets, BREAK, any length
  literal,   // the text as it is, cut at one row: the reference pipelines' behaviour
};

struct PromptRequest {
  std::vector<std::string> prompts;            // one or more
  std::vector<std::string> prompts_2 = {};     // for SDXL's second encoder; empty: as prompts
  std::vector<std::string> negative = {};      // empty: none given; one: for all; else as many as prompts
  std::vector<std::string> negative_2 = {};    // for SDXL's second encoder; empty: as negative
  std::optional<std::int64_t> clip_skip = {};  // leaves out that many more of the last layers, for the positive
  PromptSyntax syntax = PromptSyntax::weighted;
};

struct PromptEmbeddings {
  at::Tensor tokens;  // [B, T, D]: T a multiple of the row's length, D the sum of the encoders' widths
  at::Tensor pooled;  // [B, P] of the last encoder with projection; undefined for SD 1.x and 2.x
};

struct EncodedPrompts {
  PromptEmbeddings positive, negative;  // of the same sizes
};

struct TextEncoder {
  std::shared_ptr<const nn::ClipTokenizer> tokenizer;
  std::shared_ptr<const TextModel> model;
};

enum class PromptFamily {
  sd,    // last layer and final norm; clip_skip k: k layers earlier, and the final norm
  sdxl,  // last layer but one, no norm; clip_skip k: k layers earlier; pooled and projected by the last encoder
};

class PromptEncoder {
 public:
  // encoders: one, or for sdxl two. zero_negative: where no negative prompt is given its embeddings are zero instead of those of ""
  // (SDXL's force_zeros_for_empty_prompt). Throws nn::LoadError when a tokenizer's ids exceed its encoder's vocabulary.
  PromptEncoder(PromptFamily family, std::vector<TextEncoder> encoders, bool zero_negative);

  // Throws std::invalid_argument for counts that do not match, clip_skip out of range and what prompt_weights.hpp refuses.
  EncodedPrompts encode(const PromptRequest& request) const;

 private:
  std::vector<PromptRow> rows(const TextEncoder& encoder, const std::string& prompt, PromptSyntax syntax) const;

  PromptFamily family_;
  std::vector<TextEncoder> encoders_;
  bool zero_negative_;
  std::size_t length_ = 0;  // of a row
};

}  // namespace kinora::models::clip
