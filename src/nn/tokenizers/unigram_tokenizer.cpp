#include "nn/tokenizers/unigram_tokenizer.hpp"

#include <algorithm>

#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

constexpr std::string_view kMark = "\u2581";  // stands for a space

void replace_all(std::string& text, std::string_view pattern, std::string_view content) {
  std::string out;
  std::size_t done = 0;
  for (auto at = text.find(pattern); at != std::string::npos; at = text.find(pattern, done)) {
    out.append(text, done, at - done).append(content);
    done = at + pattern.size();
  }
  if (done > 0) text = out.append(text, done);
}

void collapse_spaces(std::string& text, std::string_view content) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto end = std::min(text.find_first_not_of(' ', i), text.size());
    if (end - i >= 2)
      out.append(content);
    else
      out.append(text, i, std::max(end, i + 1) - i);
    i = std::max(end, i + 1);
  }
  text = std::move(out);
}

bool is_space_at(std::string_view text, std::size_t position, std::size_t& behind) {
  behind = position;
  return unicode::kind(unicode::next(text, behind)) == unicode::Kind::space;
}

void strip(std::string& text, bool left, bool right) {
  std::size_t begin = 0, end = 0, behind = 0;
  while (left && begin < text.size() && is_space_at(text, begin, behind)) begin = behind;
  for (std::size_t i = begin; i < text.size(); i = behind)
    if (!is_space_at(text, i, behind)) end = behind;
  text = text.substr(begin, right ? std::max(end, begin) - begin : std::string::npos);
}

}  // namespace

std::vector<TokenId> UnigramTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  const auto token = [&](TokenId id) { ids.push_back(id); };
  const std::string valid = unicode::valid_utf8(text);
  raw_.split(
      valid,
      [&](std::string_view part) {
        const bool first = part.data() == valid.data();
        const auto normal = normalized(part);
        normalized_.split(normal, [&](std::string_view plain) { encode_plain(plain, first && plain.data() == normal.data(), ids); }, token);
      },
      token);
  return ids;
}

std::string UnigramTokenizer::normalized(std::string_view text) const {
  std::string out(text);
  for (const auto& step : steps_) {
    switch (step.kind) {
      case Step::Kind::charsmap: out = charsmap_(out); break;
      case Step::Kind::strip: strip(out, step.left, step.right); break;
      case Step::Kind::replace: replace_all(out, step.pattern, step.content); break;
      case Step::Kind::collapse: collapse_spaces(out, step.content); break;
    }
  }
  return out;
}

void UnigramTokenizer::encode_plain(std::string_view text, bool first, std::vector<TokenId>& ids) const {
  if (!split_at_space_) return encode_word(std::string(text), first, ids);
  std::size_t begin = 0, behind = 0;
  for (std::size_t i = 0; i < text.size(); i = behind) {
    if (!is_space_at(text, i, behind)) continue;
    if (i > begin) encode_word(std::string(text.substr(begin, i - begin)), first && begin == 0, ids);
    begin = behind;
  }
  if (begin < text.size()) encode_word(std::string(text.substr(begin)), first && begin == 0, ids);
}

void UnigramTokenizer::encode_word(std::string word, bool first, std::vector<TokenId>& ids) const {
  replace_all(word, " ", kMark);
  const bool wanted = prepend_ == Prepend::always || (prepend_ == Prepend::first && first);
  if (wanted && !word.starts_with(kMark)) word.insert(0, kMark);
  const std::string_view text = word;
  if (!split_at_mark_) return model_.encode(text, ids);
  for (std::size_t begin = 0; begin < text.size();) {  // each mark begins a part
    const auto end = std::min(text.find(kMark, begin + 1), text.size());
    model_.encode(text.substr(begin, end - begin), ids);
    begin = end;
  }
}

UnigramTokenizer::Row UnigramTokenizer::encode_row(std::string_view text, std::size_t length) const {
  auto ids = encode(text);
  ids.resize(std::min(ids.size(), length - 1));
  ids.push_back(end_);
  const auto real = ids.size();
  ids.resize(length, pad_);
  return {std::move(ids), real};
}

}  // namespace kinora::nn
