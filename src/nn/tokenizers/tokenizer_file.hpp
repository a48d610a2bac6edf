#pragma once
// What all tokenizer folders share: JSON members with errors that name file and field, and the special tokens that
// tokenizer_config.json, special_tokens_map.json and added_tokens.json describe. Errors: LoadError.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/tokenizers/added_tokens.hpp"

namespace kinora::nn {

inline constexpr std::uint64_t kMaxTokenizerBytes = 128 << 20;  // of one tokenizer file (the largest published ones have 20 MB)
inline constexpr std::size_t kMaxTokenBytes = 4096;

// A file's text and the name for errors. Readers take this instead of a path, so that any bytes can be read.
struct NamedText {
  std::string name;
  std::string text;
};
std::optional<NamedText> read_tokenizer_file(const std::filesystem::path& path);  // nullopt when absent; refuses too large ones

// A JSON document and where it came from. Parsing refuses what is no JSON.
struct JsonFile {
  explicit JsonFile(const NamedText& text);
  std::string name;
  nlohmann::json root;
};

// A member of a document that outlives it, with its path for errors.
class JsonMember {
 public:
  explicit JsonMember(const JsonFile& file) : file_(&file.name), value_(&file.root) {}

  JsonMember at(const std::string& key) const;  // of an object; an absent member is null
  JsonMember at(std::size_t index) const;       // of a list
  bool is_null() const { return value_->is_null(); }
  bool is_object() const { return value_->is_object(); }
  bool is_text() const { return value_->is_string(); }
  std::size_t list_size() const;         // refuses what is no list
  const nlohmann::json& object() const;  // refuses what is no object
  const std::string& text() const;       // refuses what is no text
  bool flag(bool fallback) const;        // null gives the fallback
  TokenId token_id() const;              // 0..2^31-1
  double number() const;
  const std::string& file() const { return *file_; }
  const std::string& path() const { return path_; }
  [[noreturn]] void refuse(std::string_view reason) const;

 private:
  JsonMember(const std::string* file, const nlohmann::json* value, std::string path) : file_(file), value_(value), path_(std::move(path)) {}
  const std::string* file_;
  const nlohmann::json* value_;
  std::string path_;
};

// The texts of a tokenizer folder beside the model itself.
struct TokenizerSettings {
  std::optional<SpecialToken> start, end, unknown, pad;  // bos_token, eos_token, unk_token, pad_token
  std::vector<SpecialToken> further;                     // additional_special_tokens
  std::vector<AddedToken> numbered;                      // added_tokens_decoder, added_tokens.json: with their ids
  std::optional<std::size_t> extra_ids;                  // of T5: how many <extra_id_N> follow the pieces
  std::size_t max_length = 0;                            // model_max_length; 0: none, or the "very large" of the writer
};
TokenizerSettings parse_settings(const std::optional<NamedText>& config, const std::optional<NamedText>& special_map,
                                 const std::optional<NamedText>& added);
TokenizerSettings read_settings(const std::filesystem::path& folder);

AddedToken parse_added_token(const JsonMember& object);  // one entry of tokenizer.json "added_tokens"
Vocabulary parse_vocabulary(const JsonMember& object);   // {"token": id}; ids may not repeat

}  // namespace kinora::nn
