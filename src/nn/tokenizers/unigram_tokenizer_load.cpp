// Reading the tokenizers of T5 and UMT5 from tokenizer.json or spiece.model.
#include <algorithm>
#include <array>

#include "nn/load_error.hpp"
#include "nn/tokenizers/sentencepiece_file.hpp"
#include "nn/tokenizers/unicode.hpp"
#include "nn/tokenizers/unigram_tokenizer.hpp"

namespace kinora::nn {
namespace {

constexpr std::string_view kMark = "\u2581";
constexpr std::size_t kDefaultLength = 512;
constexpr std::size_t kDefaultExtraIds = 100;
constexpr std::size_t kMaxSteps = 64;

std::string decode_base64(const JsonMember& member) {
  static const auto values = [] {
    std::array<int, 256> table;
    table.fill(-1);
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < digits.size(); ++i) table[static_cast<unsigned char>(digits[i])] = static_cast<int>(i);
    return table;
  }();
  std::string_view text = member.text();
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = values[static_cast<unsigned char>(c)];
    if (value < 0) member.refuse("is no base64");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) out.push_back(static_cast<char>(bits >> (count -= 8)));
  }
  return out;
}

std::vector<Piece> parse_pieces(const JsonMember& list) {
  std::vector<Piece> pieces;
  const auto count = list.list_size();
  pieces.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto pair = list.at(i);
    if (pair.list_size() != 2) pair.refuse("must be a piece and its score");
    pieces.push_back({pair.at(0).text(), pair.at(1).number()});
    if (pieces.back().text.size() > kMaxTokenBytes) pair.refuse("is longer than " + std::to_string(kMaxTokenBytes) + " bytes");
  }
  return pieces;
}

std::string content(const std::optional<SpecialToken>& token, std::string_view fallback) {
  return token ? token->content : std::string(fallback);
}

}  // namespace

UnigramTokenizer::UnigramTokenizer(const std::vector<Piece>& pieces, TokenId unknown, bool byte_fallback, const std::string& file)
    : model_(pieces, unknown, byte_fallback, file) {}

// One step, or a list of them.
void UnigramTokenizer::read_normalizer(const JsonMember& normalizer) {
  if (normalizer.is_null()) return;
  const auto type = normalizer.at("type");
  if (steps_.size() == kMaxSteps) normalizer.refuse("has too many steps");
  if (type.text() == "Sequence") {
    const auto parts = normalizer.at("normalizers");
    for (std::size_t i = 0; i < parts.list_size(); ++i) {
      if (parts.at(i).at("type").text() == "Sequence") parts.at(i).refuse("a sequence within a sequence is not supported");
      read_normalizer(parts.at(i));
    }
  } else if (type.text() == "Precompiled") {
    const auto map = normalizer.at("precompiled_charsmap");
    if (map.is_null()) return;
    charsmap_ = Charsmap(decode_base64(map), map.file(), map.path());
    steps_.push_back({.kind = Step::Kind::charsmap, .pattern = {}, .content = {}});
  } else if (type.text() == "Strip") {
    steps_.push_back({.kind = Step::Kind::strip,
                      .left = normalizer.at("strip_left").flag(true),
                      .right = normalizer.at("strip_right").flag(true),
                      .pattern = {},
                      .content = {}});
  } else if (type.text() == "Replace") {
    const auto pattern = normalizer.at("pattern"), regex = pattern.at("Regex");
    const auto& replacement = normalizer.at("content").text();
    if (!regex.is_null()) {
      if (regex.text() != " {2,}") regex.refuse("is not supported; known: ' {2,}'");
      steps_.push_back({.kind = Step::Kind::collapse, .pattern = {}, .content = replacement});
    } else {
      if (pattern.at("String").text().empty()) pattern.refuse("must not be empty");
      steps_.push_back({.kind = Step::Kind::replace, .pattern = pattern.at("String").text(), .content = replacement});
    }
  } else {
    type.refuse("is not supported; known: Sequence, Precompiled, Strip, Replace");
  }
}

// Metaspace, alone or behind WhitespaceSplit.
void UnigramTokenizer::read_pre_tokenizer(const JsonMember& pre_tokenizer) {
  const auto type = pre_tokenizer.at("type");
  if (type.text() == "Sequence") {
    const auto parts = pre_tokenizer.at("pretokenizers");
    if (parts.list_size() != 2 || parts.at(0).at("type").text() != "WhitespaceSplit" || parts.at(1).at("type").text() != "Metaspace")
      parts.refuse("must be WhitespaceSplit and Metaspace");
    split_at_space_ = true;
    return read_pre_tokenizer(parts.at(1));
  }
  if (type.text() != "Metaspace") type.refuse("is not supported; known: Metaspace, WhitespaceSplit");
  if (const auto mark = pre_tokenizer.at("replacement"); mark.text() != kMark) mark.refuse("must be U+2581");
  const auto scheme = pre_tokenizer.at("prepend_scheme");
  if (scheme.is_null()) {  // files of before 2023
    prepend_ = pre_tokenizer.at("add_prefix_space").flag(true) ? Prepend::always : Prepend::never;
  } else if (scheme.text() == "always" || scheme.text() == "first" || scheme.text() == "never") {
    prepend_ = scheme.text() == "always" ? Prepend::always : scheme.text() == "first" ? Prepend::first : Prepend::never;
  } else {
    scheme.refuse("must be always, first or never");
  }
  split_at_mark_ = pre_tokenizer.at("split").flag(true);
}

void UnigramTokenizer::add_tokens(std::vector<AddedToken> added, const TokenizerSettings& settings, const std::string& file) {
  added.insert(added.end(), settings.numbered.begin(), settings.numbered.end());
  std::vector<SpecialToken> special = settings.further;
  for (const auto* token : {&settings.start, &settings.end, &settings.unknown, &settings.pad})
    if (*token) special.push_back(**token);
  for (const auto& token : special)
    if (const auto id = model_.find(token.content)) added.push_back({token, *id});
  const AddedTokens all(std::move(added));

  std::vector<AddedToken> raw, normalized_form;
  largest_id_ = static_cast<TokenId>(model_.size()) - 1;
  for (const auto& token : all.tokens()) {
    (token.normalized ? normalized_form : raw).push_back(token);
    largest_id_ = std::max(largest_id_, token.id);
  }
  const auto id = [&](const std::string& token, const char* field) {
    for (const auto& known : all.tokens())
      if (known.content == token) return known.id;
    if (const auto piece = model_.find(token)) return *piece;
    throw LoadError(file, field, "the token '" + token + "' is not in the vocabulary");
  };
  end_ = id(content(settings.end, "</s>"), "eos_token");
  pad_ = id(content(settings.pad, "<pad>"), "pad_token");
  raw_ = AddedTokens(std::move(raw));
  normalized_ = AddedTokens(std::move(normalized_form));
  max_length_ = settings.max_length == 0 ? kDefaultLength : settings.max_length;
}

UnigramTokenizer UnigramTokenizer::from_tokenizer_json(const NamedText& text, const TokenizerSettings& settings) {
  const JsonFile file(text);
  const JsonMember root(file);
  const auto model = root.at("model");
  if (const auto type = model.at("type"); !type.is_null() && type.text() != "Unigram") type.refuse("must be Unigram");
  const auto unknown = model.at("unk_id");
  UnigramTokenizer tokenizer(parse_pieces(model.at("vocab")), unknown.token_id(), model.at("byte_fallback").flag(false), text.name);
  tokenizer.read_normalizer(root.at("normalizer"));
  tokenizer.read_pre_tokenizer(root.at("pre_tokenizer"));
  std::vector<AddedToken> added;
  if (const auto list = root.at("added_tokens"); !list.is_null())
    for (std::size_t i = 0; i < list.list_size(); ++i) added.push_back(parse_added_token(list.at(i)));
  tokenizer.add_tokens(std::move(added), settings, text.name);
  return tokenizer;
}

UnigramTokenizer UnigramTokenizer::from_spiece_model(const NamedText& text, const TokenizerSettings& settings) {
  auto file = parse_sentencepiece(text);
  const auto names = [](const SpecialToken& token) { return token.content.starts_with("<extra_id_"); };
  const auto listed = static_cast<std::size_t>(std::count_if(settings.further.begin(), settings.further.end(), names));
  const auto extra = settings.extra_ids.value_or(listed > 0 ? listed : kDefaultExtraIds);
  std::vector<AddedToken> added;
  for (std::size_t i = extra; i-- > 0;) {
    added.push_back({{.content = "<extra_id_" + std::to_string(i) + ">"}, static_cast<TokenId>(file.pieces.size())});
    file.pieces.push_back({added.back().content, 0});
  }
  UnigramTokenizer tokenizer(file.pieces, file.unknown, file.byte_fallback, text.name);
  if (!file.charsmap.empty()) {
    tokenizer.charsmap_ = Charsmap(file.charsmap, text.name, "precompiled_charsmap");
    tokenizer.steps_.push_back({.kind = Step::Kind::charsmap, .pattern = {}, .content = {}});
  }
  tokenizer.split_at_space_ = !file.byte_fallback;
  if (file.byte_fallback) {
    tokenizer.steps_.push_back({.kind = Step::Kind::strip, .right = true, .pattern = {}, .content = {}});
    tokenizer.steps_.push_back({.kind = Step::Kind::collapse, .pattern = {}, .content = std::string(kMark)});
  }
  for (const std::string_view special : {"<pad>", "</s>", "<unk>"})
    if (const auto id = tokenizer.model_.find(special)) added.push_back({{.content = std::string(special)}, *id});
  tokenizer.add_tokens(std::move(added), settings, text.name);
  return tokenizer;
}

UnigramTokenizer UnigramTokenizer::open(const std::filesystem::path& folder) {
  const auto settings = read_settings(folder);
  if (const auto whole = read_tokenizer_file(folder / "tokenizer.json")) return from_tokenizer_json(*whole, settings);
  const auto model = read_tokenizer_file(folder / "spiece.model");
  if (!model) throw LoadError(folder.string(), "", "holds neither tokenizer.json nor spiece.model");
  return from_spiece_model(*model, settings);
}

}  // namespace kinora::nn
