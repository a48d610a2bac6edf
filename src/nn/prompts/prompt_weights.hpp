#pragma once
// The prompt syntax of the common user interfaces (AUTOMATIC1111's; ComfyUI's is a part of it):
//
//   (word)        weight 1.1            ((word))  1.21            (word:1.3)  weight 1.3, also "(several words:0.8)"
//   [word]        weight 1 / 1.1        \( \) \[ \] \\  the character itself
//   BREAK         what follows begins a new chunk of tokens
//
// Brackets nest and their weights multiply; one that is never closed reaches to the end; a closing one too many is text, as is any
// other backslash. Pure; time grows with length times depth.
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace kinora::nn {

inline constexpr std::size_t kMaxPromptBytes = 1 << 15;
inline constexpr double kMaxPromptWeight = 10;  // weights are from -10 to 10

struct WeightedText {
  std::string text;
  double weight = 1;
  bool operator==(const WeightedText&) const = default;
};
// The parts between two BREAKs: neighbours differ in weight. No part is empty; a section may be.
using PromptSection = std::vector<WeightedText>;

// At least one section. Throws std::invalid_argument for a prompt that is too long and for weights beyond the limit.
std::vector<PromptSection> parse_prompt(std::string_view prompt);

}  // namespace kinora::nn
