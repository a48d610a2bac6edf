// Reading CLIP's tokenizer from tokenizer.json, or from vocab.json and merges.txt.
#include <algorithm>

#include "nn/load_error.hpp"
#include "nn/tokenizers/clip_tokenizer.hpp"

namespace kinora::nn {
namespace {

constexpr std::size_t kClipMerges = 49152 - 256 - 2;  // later lines of OpenAI's list are not part of the vocabulary
constexpr std::size_t kDefaultLength = 77;
constexpr std::string_view kStart = "<|startoftext|>", kEnd = "<|endoftext|>";  // unless the configuration names others
constexpr std::string_view kSuffix = "</w>";
constexpr std::string_view kWords = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
constexpr std::string_view kNames = R"(<\|startoftext\|>|<\|endoftext\|>|)";

MergeRule parse_rule(const std::string& line, const std::string& file, const std::string& field) {
  const auto space = line.find(' ');
  if (space == std::string::npos || space == 0 || space + 1 == line.size() || line.find(' ', space + 1) != std::string::npos)
    throw LoadError(file, field, "must be two tokens with one space between them");
  return {line.substr(0, space), line.substr(space + 1)};
}

std::vector<MergeRule> parse_merges(const NamedText& file) {
  std::vector<MergeRule> rules;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < file.text.size() && rules.size() < kClipMerges;) {
    const auto end = std::min(file.text.find('\n', begin), file.text.size());
    auto line = file.text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    begin = end + 1;
    ++number;
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    rules.push_back(parse_rule(line, file.name, "line " + std::to_string(number)));
  }
  return rules;
}

std::vector<MergeRule> parse_merges(const JsonMember& list) {
  std::vector<MergeRule> rules;
  const auto count = list.list_size();
  if (count > kMaxVocabulary) list.refuse("holds more than " + std::to_string(kMaxVocabulary) + " rules");
  for (std::size_t i = 0; i < count; ++i) {
    const auto rule = list.at(i);
    if (rule.is_text()) {
      rules.push_back(parse_rule(rule.text(), list.file(), rule.path()));
    } else {
      if (rule.list_size() != 2) rule.refuse("must hold two tokens");
      rules.emplace_back(rule.at(0).text(), rule.at(1).text());
    }
  }
  return rules;
}

// Only what this tokenizer does is accepted: a file that describes another one is refused rather than read wrongly.
void check_pipeline(const JsonMember& root) {
  const auto model = root.at("model");
  if (const auto type = model.at("type"); !type.is_null() && type.text() != "BPE") type.refuse("must be BPE");
  if (const auto suffix = model.at("end_of_word_suffix"); suffix.text() != kSuffix) suffix.refuse("must be </w>");
  const auto parts = root.at("pre_tokenizer").at("pretokenizers");
  const auto split = parts.list_size() == 2 ? parts.at(0) : parts;
  if (parts.list_size() != 2 || split.at("type").text() != "Split" || parts.at(1).at("type").text() != "ByteLevel")
    parts.refuse("must be Split and ByteLevel");
  const auto pattern = split.at("pattern").at("Regex");
  if (pattern.text() != kWords && pattern.text() != std::string(kNames).append(kWords)) pattern.refuse("is not the pattern of CLIP");
  const auto steps = root.at("normalizer").at("normalizers");
  for (std::size_t i = 0; i < steps.list_size(); ++i) {
    const auto type = steps.at(i).at("type");
    if (type.text() != "NFC" && type.text() != "Replace" && type.text() != "Lowercase") type.refuse("must be NFC, Replace or Lowercase");
  }
}

std::string content(const std::optional<SpecialToken>& token, std::string_view fallback) {
  return token ? token->content : std::string(fallback);
}

}  // namespace

ClipTokenizer::ClipTokenizer(Vocabulary vocabulary, const std::vector<MergeRule>& rules, std::vector<AddedToken> added,
                             const TokenizerSettings& settings, const std::string& file)
    : pairs_(
          vocabulary, rules, kSuffix,
          [&]() -> std::optional<TokenId> {
            const auto found = vocabulary.find(content(settings.unknown, kEnd));
            return found == vocabulary.end() ? std::nullopt : std::optional(found->second);
          }(),
          file) {
  added.insert(added.end(), settings.numbered.begin(), settings.numbered.end());
  for (const auto& token : added) {
    const auto [known, fresh] = vocabulary.emplace(token.content, token.id);
    if (!fresh && known->second != token.id)
      throw LoadError(
          file, "added_tokens",
          "'" + token.content + "' has the id " + std::to_string(token.id) + ", the vocabulary says " + std::to_string(known->second));
  }
  const auto id = [&](const std::string& token, const char* field) {
    const auto found = vocabulary.find(token);
    if (found == vocabulary.end()) throw LoadError(file, field, "the token '" + token + "' is not in the vocabulary");
    return found->second;
  };
  start_ = id(content(settings.start, kStart), "bos_token");
  end_ = id(content(settings.end, kEnd), "eos_token");
  pad_ = id(content(settings.pad, content(settings.end, kEnd)), "pad_token");
  auto special = settings.further;
  for (const auto* token : {&settings.start, &settings.end, &settings.unknown, &settings.pad})
    if (*token) special.push_back(**token);
  special.push_back({.content = std::string(kStart)});
  special.push_back({.content = std::string(kEnd)});
  for (const auto& token : special)
    if (const auto found = vocabulary.find(token.content); found != vocabulary.end()) added.push_back({token, found->second});

  std::vector<AddedToken> raw, normalized;
  const AddedTokens all(std::move(added));  // one of each content
  for (const auto& token : all.tokens()) (token.normalized ? normalized : raw).push_back(token);
  raw_ = AddedTokens(std::move(raw));
  normalized_ = AddedTokens(std::move(normalized));
  for (const auto& [token, number] : vocabulary) largest_id_ = std::max(largest_id_, number);
  max_length_ = settings.max_length == 0 ? kDefaultLength : settings.max_length;
}

ClipTokenizer ClipTokenizer::from_vocab_and_merges(const NamedText& vocab, const NamedText& merges, const TokenizerSettings& settings) {
  const JsonFile file(vocab);
  return {parse_vocabulary(JsonMember(file)), parse_merges(merges), {}, settings, vocab.name};
}

ClipTokenizer ClipTokenizer::from_tokenizer_json(const NamedText& text, const TokenizerSettings& settings) {
  const JsonFile file(text);
  const JsonMember root(file);
  check_pipeline(root);
  std::vector<AddedToken> added;
  if (const auto list = root.at("added_tokens"); !list.is_null())
    for (std::size_t i = 0; i < list.list_size(); ++i) added.push_back(parse_added_token(list.at(i)));
  auto with_unknown = settings;
  if (const auto unknown = root.at("model").at("unk_token"); !with_unknown.unknown && !unknown.is_null())
    with_unknown.unknown = SpecialToken{.content = unknown.text()};
  const auto model = root.at("model");
  return {parse_vocabulary(model.at("vocab")), parse_merges(model.at("merges")), std::move(added), with_unknown, text.name};
}

ClipTokenizer ClipTokenizer::open(const std::filesystem::path& folder) {
  const auto settings = read_settings(folder);
  if (const auto whole = read_tokenizer_file(folder / "tokenizer.json")) return from_tokenizer_json(*whole, settings);
  const auto vocab = read_tokenizer_file(folder / "vocab.json"), merges = read_tokenizer_file(folder / "merges.txt");
  if (!vocab || !merges) throw LoadError(folder.string(), "", "holds neither tokenizer.json nor vocab.json with merges.txt");
  return from_vocab_and_merges(*vocab, *merges, settings);
}

}  // namespace kinora::nn
