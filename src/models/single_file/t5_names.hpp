#pragma once
// The T5 and UMT5 text encoders in files: transformers' names, those of Wan's authors ("blocks.0.attn.q"), those of GGUF files
// ("enc.blk.0.attn_q").
#include <nlohmann/json.hpp>
#include <string>

#include "nn/checkpoint.hpp"

namespace kinora::models::single_file {

// Whether the names are those of such an encoder in any of the layouts.
bool is_t5(const nn::Checkpoint& file);
// Under transformers' names; what is none of the encoder's keeps its name.
nn::Checkpoint t5_encoder(nn::Checkpoint file);
// config.json, from the shapes under transformers' names. "model_type" tells UMT5 ("umt5", a bias in each layer) from T5 ("t5").
nlohmann::json t5_config(const nn::WeightShapes& shapes, const std::string& file);

}  // namespace kinora::models::single_file
