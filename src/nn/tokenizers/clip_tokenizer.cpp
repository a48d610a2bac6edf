#include "nn/tokenizers/clip_tokenizer.hpp"

#include <algorithm>

#include "nn/load_error.hpp"
#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

using unicode::Kind;

// The end of the longest run of characters of one kind.
std::size_t run_end(std::string_view text, std::size_t position, Kind kind) {
  while (position < text.size()) {
    auto behind = position;
    if (unicode::kind(unicode::next(text, behind)) != kind) break;
    position = behind;
  }
  return position;
}

// CLIP's words: 's 't 're 've 'm 'll 'd | letters | one digit | neither letters nor digits nor spaces. The names of the start and end
// token are cut out first, and come apart into "<|", the name and "|>".
template <typename Word>
void for_each_word(std::string_view text, Word&& word) {
  for (std::size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    auto end = i;
    const auto kind = unicode::kind(unicode::next(text, end));
    if (kind == Kind::space) {
      i = end;
      continue;
    }
    if (rest.front() == '<') {
      bool named = false;
      for (const std::string_view name : {"<|startoftext|>", "<|endoftext|>"}) {
        if (!rest.starts_with(name)) continue;
        for (const auto part : {name.substr(0, 2), name.substr(2, name.size() - 4), name.substr(name.size() - 2)}) word(part);
        i += name.size();
        named = true;
      }
      if (named) continue;
    }
    if (kind == Kind::letter) end = run_end(text, end, Kind::letter);
    if (kind == Kind::other) {
      end = run_end(text, end, Kind::other);
      for (const std::string_view contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
        if (rest.starts_with(contraction)) end = i + contraction.size();
    }
    word(text.substr(i, end - i));
    i = end;
  }
}

}  // namespace

std::vector<TokenId> ClipTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 2);
  const auto token = [&](TokenId id) { ids.push_back(id); };
  const std::string valid = unicode::valid_utf8(text);
  raw_.split(
      valid,
      [&](std::string_view part) {
        const auto normal = unicode::lower(unicode::nfc(part));
        normalized_.split(normal, [&](std::string_view plain) { encode_plain(plain, ids); }, token);
      },
      token);
  return ids;
}

void ClipTokenizer::encode_plain(std::string_view text, std::vector<TokenId>& ids) const {
  for_each_word(text, [&](std::string_view word) { pairs_.encode(word, ids); });
}

std::vector<TokenId> ClipTokenizer::encode_row(std::string_view text, std::size_t length) const {
  const auto ids = encode(text);
  std::vector<TokenId> row(length, pad_);
  const auto kept = std::min(ids.size(), length - 2);
  row.front() = start_;
  std::copy_n(ids.begin(), kept, row.begin() + 1);
  row[kept + 1] = end_;
  return row;
}

}  // namespace kinora::nn
