#pragma once
// The starter model's tokenizer: the words of the captions whole, all else letter by letter. Capital letters become small ones.
#include <cstdint>
#include <nlohmann/json.hpp>

namespace kinora::train {

// tokenizer.json of the tokenizers library, model Unigram.
nlohmann::json tokenizer_json();
// tokenizer_config.json.
nlohmann::json tokenizer_config_json();

}  // namespace kinora::train
