#include "kinora_train/video/word_pieces.hpp"

#include <string>

#include "kinora_train/clips/captions.hpp"

namespace kinora::train {
namespace {

constexpr double kWordScore = -4, kLetterScore = -8;  // a word in one piece beats its letters
const std::string kMark = "\u2581";                   // stands for the space before a word

nlohmann::json special(int id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

}  // namespace

nlohmann::json tokenizer_json() {
  nlohmann::json pieces = nlohmann::json::array();
  for (const auto* const name : {"<pad>", "</s>", "<unk>"}) pieces.push_back({name, 0.0});
  pieces.push_back({kMark, kLetterScore});
  for (const auto& word : caption_words()) pieces.push_back({kMark + word, kWordScore});
  for (char c = 'a'; c <= 'z'; ++c) pieces.push_back({std::string(1, c), kLetterScore});
  for (char c = '0'; c <= '9'; ++c) pieces.push_back({std::string(1, c), kLetterScore});
  for (const char c : std::string(".,;:!?'\"-()")) pieces.push_back({std::string(1, c), kLetterScore});

  nlohmann::json small_letters = nlohmann::json::array();
  for (char c = 'A'; c <= 'Z'; ++c)
    small_letters.push_back(
        {{"type", "Replace"}, {"pattern", {{"String", std::string(1, c)}}}, {"content", std::string(1, static_cast<char>(c - 'A' + 'a'))}});
  const nlohmann::json metaspace = {{"type", "Metaspace"}, {"replacement", kMark}, {"prepend_scheme", "always"}, {"split", true}};
  const nlohmann::json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, end = {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}};
  const nlohmann::json second = {{"Sequence", {{"id", "B"}, {"type_id", 0}}}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", nlohmann::json::array({special(0, "<pad>"), special(1, "</s>"), special(2, "<unk>")})},
          {"normalizer", {{"type", "Sequence"}, {"normalizers", small_letters}}},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", nlohmann::json::array({{{"type", "WhitespaceSplit"}}, metaspace})}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", nlohmann::json::array({text, end})},
            {"pair", nlohmann::json::array({text, end, second, end})},
            {"special_tokens",
             {{"</s>", {{"id", "</s>"}, {"ids", nlohmann::json::array({1})}, {"tokens", nlohmann::json::array({"</s>"})}}}}}}},
          {"decoder", metaspace},
          {"model", {{"type", "Unigram"}, {"unk_id", 2}, {"byte_fallback", false}, {"vocab", pieces}}}};
}

nlohmann::json tokenizer_config_json() {
  return {{"tokenizer_class", "PreTrainedTokenizerFast"},
          {"eos_token", "</s>"},
          {"pad_token", "<pad>"},
          {"unk_token", "<unk>"},
          {"extra_ids", 0},
          {"additional_special_tokens", nlohmann::json::array()},
          {"model_max_length", 512},
          {"clean_up_tokenization_spaces", false}};
}

}  // namespace kinora::train
