#pragma once
// A prompt as rows of token ids for CLIP's text encoder, with one weight per id. The rows are those of AUTOMATIC1111's interface:
// - a row is start token, up to length - 2 ids, end token, padding; weights of all but the ids are 1;
// - a prompt of more ids goes on in further rows. When a row is full and one of its last 20 ids is a comma, what follows the
//   last comma moves to the next row, so that no phrase is cut;
// - BREAK fills the row up and begins a new one.
#include <optional>
#include <vector>

#include "nn/prompts/prompt_weights.hpp"
#include "nn/tokenizers/clip_tokenizer.hpp"

namespace kinora::models::clip {

inline constexpr std::size_t kMaxPromptRows = 16;  // 1200 ids with rows of 77

struct PromptRow {
  std::vector<nn::TokenId> ids;
  std::vector<float> weights;
  bool weighted = false;  // some weight is not 1
};

// length: of a row, at least 3. At least one row; throws std::invalid_argument beyond kMaxPromptRows.
std::vector<PromptRow> prompt_rows(const nn::ClipTokenizer& tokenizer, const std::vector<nn::PromptSection>& prompt, std::size_t length);
// The prompt's text as it is, brackets and all, cut at one row.
PromptRow literal_row(const nn::ClipTokenizer& tokenizer, std::string_view prompt, std::size_t length);

}  // namespace kinora::models::clip
