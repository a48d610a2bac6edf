#pragma once
// The sizes of the starter text-to-video model, as its folder's config.json files have them.
#include <nlohmann/json.hpp>

#include "models/t5/t5_encoder.hpp"
#include "models/wan/transformer_config.hpp"
#include "models/wan/vae_config.hpp"

namespace kinora::train {

// Tokens of a prompt that the model was trained to read; longer prompts are cut.
inline constexpr std::int64_t kPromptTokens = 48;

// vocabulary: ids of the tokenizer.
struct StarterConfig {
  nlohmann::json vae, transformer, text_encoder, scheduler;

  explicit StarterConfig(std::int64_t vocabulary);
  models::wan::VaeConfig vae_config() const;
  models::wan::TransformerConfig transformer_config() const;
  models::t5::Config text_config() const;
};

}  // namespace kinora::train
