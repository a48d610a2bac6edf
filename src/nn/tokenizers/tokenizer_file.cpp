#include "nn/tokenizers/tokenizer_file.hpp"

#include <limits>
#include <unordered_set>

#include "nn/load_error.hpp"
#include "nn/mapped_file.hpp"
#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

namespace fs = std::filesystem;
const nlohmann::json kNull;
constexpr double kMaxLength = 1e6;  // above it a model_max_length means "none"

std::string checked_content(const JsonMember& member) {
  const auto& text = member.text();
  if (text.empty()) member.refuse("must not be empty");
  if (text.size() > kMaxTokenBytes) member.refuse("is longer than " + std::to_string(kMaxTokenBytes) + " bytes");
  return text;
}

SpecialToken parse_special(const JsonMember& member) {
  if (member.is_text()) return {.content = checked_content(member)};
  return {.content = checked_content(member.at("content")),
          .normalized = member.at("normalized").flag(false),
          .single_word = member.at("single_word").flag(false),
          .strip_left = member.at("lstrip").flag(false),
          .strip_right = member.at("rstrip").flag(false)};
}

// What is not set yet is taken from the file: tokenizer_config.json is read first.
void read_names(const JsonMember& root, TokenizerSettings& settings) {
  const auto read = [&](const char* key, std::optional<SpecialToken>& token) {
    if (const auto member = root.at(key); !token && !member.is_null()) token = parse_special(member);
  };
  read("bos_token", settings.start);
  read("eos_token", settings.end);
  read("unk_token", settings.unknown);
  read("pad_token", settings.pad);
  const auto further = root.at("additional_special_tokens");
  if (further.is_null() || !settings.further.empty()) return;
  for (std::size_t i = 0; i < further.list_size(); ++i) settings.further.push_back(parse_special(further.at(i)));
}

TokenId id_from_key(const JsonMember& parent, const std::string& key) {
  if (key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != std::string::npos) parent.at(key).refuse("is not a token id");
  return static_cast<TokenId>(std::stol(key));
}

}  // namespace

std::optional<NamedText> read_tokenizer_file(const fs::path& path) {
  std::error_code failed;
  if (!fs::exists(path, failed)) return std::nullopt;
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (bytes.size() > kMaxTokenizerBytes)
    throw LoadError(path.string(), "",
                    "has " + std::to_string(bytes.size()) + " bytes, the limit is " + std::to_string(kMaxTokenizerBytes));
  return NamedText{path.string(), std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

JsonFile::JsonFile(const NamedText& text) : name(text.name) {
  try {
    root = nlohmann::json::parse(text.text);
  } catch (const nlohmann::json::parse_error& error) {
    throw LoadError(name, "", "is not JSON: error at byte " + std::to_string(error.byte));
  }
  if (!root.is_object()) throw LoadError(name, "", "must be a JSON object");
}

JsonMember JsonMember::at(const std::string& key) const {
  if (!value_->is_object()) refuse("must be an object");
  const auto found = value_->find(key);
  return {file_, found == value_->end() ? &kNull : &*found, path_.empty() ? key : path_ + "." + key};
}

JsonMember JsonMember::at(std::size_t index) const {
  return {file_, index < list_size() ? &(*value_)[index] : &kNull, path_ + "[" + std::to_string(index) + "]"};
}

std::size_t JsonMember::list_size() const {
  if (!value_->is_array()) refuse("must be a list");
  return value_->size();
}

const nlohmann::json& JsonMember::object() const {
  if (!value_->is_object()) refuse("must be an object");
  return *value_;
}

const std::string& JsonMember::text() const {
  if (!value_->is_string()) refuse("must be a text");
  return value_->get_ref<const std::string&>();
}

bool JsonMember::flag(bool fallback) const {
  if (value_->is_null()) return fallback;
  if (!value_->is_boolean()) refuse("must be true or false");
  return value_->get<bool>();
}

TokenId JsonMember::token_id() const {
  if (!value_->is_number_integer() || *value_ < 0 || *value_ > std::numeric_limits<TokenId>::max()) refuse("must be a token id, 0 or more");
  return value_->get<TokenId>();
}

double JsonMember::number() const {
  if (!value_->is_number()) refuse("must be a number");
  return value_->get<double>();
}

void JsonMember::refuse(std::string_view reason) const { throw LoadError(*file_, path_, reason); }

TokenizerSettings parse_settings(const std::optional<NamedText>& config, const std::optional<NamedText>& special_map,
                                 const std::optional<NamedText>& added) {
  TokenizerSettings settings;
  if (config) {
    const JsonFile file(*config);
    const JsonMember root(file);
    read_names(root, settings);
    if (const auto numbers = root.at("added_tokens_decoder"); !numbers.is_null())
      for (const auto& entry : numbers.object().items())
        settings.numbered.push_back({parse_special(numbers.at(entry.key())), id_from_key(numbers, entry.key())});
    if (const auto count = root.at("extra_ids"); !count.is_null()) {
      if (count.token_id() > static_cast<TokenId>(kMaxVocabulary)) count.refuse("is too large");
      settings.extra_ids = static_cast<std::size_t>(count.token_id());
    }
    if (const auto length = root.at("model_max_length"); !length.is_null()) {
      if (!(length.number() >= 2)) length.refuse("must be 2 or more");
      if (length.number() <= kMaxLength) settings.max_length = static_cast<std::size_t>(length.number());
    }
  }
  if (special_map) {
    const JsonFile file(*special_map);
    read_names(JsonMember(file), settings);
  }
  if (added) {
    const JsonFile file(*added);
    const JsonMember root(file);
    for (const auto& entry : file.root.items()) {
      if (entry.key().empty()) throw LoadError(added->name, "", "a token must not be empty");
      settings.numbered.push_back({{.content = entry.key(), .normalized = true}, root.at(entry.key()).token_id()});
    }
  }
  return settings;
}

TokenizerSettings read_settings(const fs::path& folder) {
  return parse_settings(read_tokenizer_file(folder / "tokenizer_config.json"), read_tokenizer_file(folder / "special_tokens_map.json"),
                        read_tokenizer_file(folder / "added_tokens.json"));
}

AddedToken parse_added_token(const JsonMember& object) { return {parse_special(object), object.at("id").token_id()}; }

Vocabulary parse_vocabulary(const JsonMember& object) {
  Vocabulary vocabulary;
  const auto& entries = object.object();
  if (entries.empty() || entries.size() > kMaxVocabulary) object.refuse("must hold 1 to " + std::to_string(kMaxVocabulary) + " tokens");
  vocabulary.reserve(entries.size());
  std::unordered_set<TokenId> used;
  for (const auto& [token, id] : entries.items()) {
    if (token.size() > kMaxTokenBytes) object.refuse("holds a token of more than " + std::to_string(kMaxTokenBytes) + " bytes");
    const auto number = object.at(token).token_id();
    if (!used.insert(number).second) object.at(token).refuse("the id " + std::to_string(number) + " is given twice");
    vocabulary.emplace(token, number);
  }
  return vocabulary;
}

}  // namespace kinora::nn
