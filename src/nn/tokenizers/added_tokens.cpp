#include "nn/tokenizers/added_tokens.hpp"

#include <algorithm>
#include <map>

#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

bool word_character(char32_t code) {
  const auto kind = unicode::kind(code);
  return code == U'_' || kind == unicode::Kind::letter || kind == unicode::Kind::number;
}

std::size_t before(std::string_view text, std::size_t position) {  // start of the character that ends at position
  do --position;
  while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80);
  return position;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0) {
    auto position = before(text, begin);
    if (word_character(unicode::next(text, position))) return false;
  }
  return end == text.size() || !word_character(unicode::next(text, end));
}

std::size_t skip_space_left(std::string_view text, std::size_t begin, std::size_t limit) {
  while (begin > limit) {
    const auto start = before(text, begin);
    auto position = start;
    if (unicode::kind(unicode::next(text, position)) != unicode::Kind::space) break;
    begin = start;
  }
  return begin;
}

std::size_t skip_space_right(std::string_view text, std::size_t end) {
  while (end < text.size()) {
    auto position = end;
    if (unicode::kind(unicode::next(text, position)) != unicode::Kind::space) break;
    end = position;
  }
  return end;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) {
  std::map<std::string, AddedToken> sorted;
  for (auto& token : tokens) sorted.try_emplace(token.content, std::move(token));
  for (auto& [content, token] : sorted) tokens_.push_back(std::move(token));
}

// The sorted list is narrowed byte by byte to those that share the text's beginning.
const AddedToken* AddedTokens::longest_at(std::string_view rest) const {
  const AddedToken* longest = nullptr;
  auto low = tokens_.begin(), high = tokens_.end();
  for (std::size_t depth = 0; depth < rest.size() && low != high; ++depth) {
    const auto byte = [depth](const AddedToken& t) { return depth < t.content.size() ? static_cast<unsigned char>(t.content[depth]) : -1; };
    const int wanted = static_cast<unsigned char>(rest[depth]);
    low = std::partition_point(low, high, [&](const AddedToken& t) { return byte(t) < wanted; });
    high = std::partition_point(low, high, [&](const AddedToken& t) { return byte(t) == wanted; });
    if (low != high && low->content.size() == depth + 1) longest = &*low;
  }
  return longest;
}

void AddedTokens::split(std::string_view text, const std::function<void(std::string_view)>& plain,
                        const std::function<void(TokenId)>& token) const {
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto* found = longest_at(text.substr(i));
    std::size_t end = found == nullptr ? i + 1 : i + found->content.size();
    if (found == nullptr || (found->single_word && !stands_alone(text, i, end))) {
      i = found == nullptr ? i + 1 : end;
      continue;
    }
    const auto begin = found->strip_left ? skip_space_left(text, i, done) : i;
    if (found->strip_right) end = skip_space_right(text, end);
    if (begin > done) plain(text.substr(done, begin - done));
    token(found->id);
    done = i = end;
  }
  if (done < text.size()) plain(text.substr(done));
}

}  // namespace kinora::nn
