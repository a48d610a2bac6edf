#pragma once
// The second part of `kinora-train text-to-video`: text encoder and transformer learn together to turn noise into a prompt's latents
// (flow matching: Lipman et al., "Flow matching for generative modeling", 2023).
#include "kinora_train/fit.hpp"
#include "kinora_train/video/latents.hpp"
#include "kinora_train/video/starter_config.hpp"
#include "nn/tokenizers/unigram_tokenizer.hpp"

namespace kinora::train {

// Averaged weights, float32, as "text_encoder.NAME" and "transformer.NAME". settings' `saved` gets the same.
FitReport train_flow(const StarterConfig& config, const nn::UnigramTokenizer& tokenizer, const Latents& latents, std::int64_t batch,
                     FitSettings settings, at::ScalarType dtype,
                     const std::function<void(const nn::TensorMap& average, std::int64_t step)>& saved, const Talk& talk);

// Captions as the text encoder takes them: ids [B, S], S - 1 the longest one's length, and how many of each row are real.
struct TokenRows {
  at::Tensor ids;   // int64
  at::Tensor mask;  // [B, S] int64, 1 for real ones
  at::Tensor bias;  // [B, 1, 1, S] float32: the padding's rows count as all that the prompt lacks to kPromptTokens
};
TokenRows token_rows(const nn::UnigramTokenizer& tokenizer, const std::vector<std::string>& captions);

}  // namespace kinora::train
