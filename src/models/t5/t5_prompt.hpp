#pragma once
// Prompts to the embeddings that Wan's and LTX-Video's denoisers take. Immutable: any thread.
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "models/t5/t5_encoder.hpp"
#include "nn/tokenizers/unigram_tokenizer.hpp"

namespace kinora::models::t5 {

inline constexpr std::size_t kMaxPromptTokens = 4096;

enum class Padding {
  zeroed,    // padding is masked, its embeddings are zero (Wan). Only as many tokens are encoded as the longest prompt has.
  attended,  // padding is encoded like any token (LTX-Video)
};

struct PromptEmbeddings {
  at::Tensor tokens;  // [B, length, d_model]
  at::Tensor mask;    // [B, length] int64 on the same device: 1 for the prompt's tokens and its end token, 0 for padding
};

class PromptEncoder {
 public:
  // Throws nn::LoadError when the tokenizer's ids exceed the encoder's vocabulary.
  PromptEncoder(std::shared_ptr<const nn::UnigramTokenizer> tokenizer, std::shared_ptr<const Encoder> model,
                std::function<void(std::size_t block)> before_block = {});

  // Prompts are taken literally and cut at `length` tokens, end token included; Wan wants them cleaned before (nn::clean_prompt).
  // Throws std::invalid_argument for no prompts and for a length outside 1..kMaxPromptTokens.
  PromptEmbeddings encode(const std::vector<std::string>& prompts, std::size_t length, Padding padding) const;

 private:
  std::shared_ptr<const nn::UnigramTokenizer> tokenizer_;
  std::shared_ptr<const Encoder> model_;
  std::function<void(std::size_t)> before_block_;  // of the model
};

}  // namespace kinora::models::t5
