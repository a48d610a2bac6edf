#include "nn/tokenizers/charsmap.hpp"

#include <utf8proc.h>

#include <bit>
#include <cstring>

#include "nn/load_error.hpp"
#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

static_assert(std::endian::native == std::endian::little);
constexpr std::size_t kLongestWhole = 5;  // bytes

// A unit of the double array.
bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1) == 1; }
std::uint32_t value(std::uint32_t unit) { return unit & 0x7FFFFFFF; }
std::uint32_t label(std::uint32_t unit) { return unit & 0x800000FF; }
std::uint32_t offset(std::uint32_t unit) { return unit >> 10 << ((unit & 1 << 9) >> 6); }

std::size_t grapheme_end(std::string_view text, std::size_t position) {
  utf8proc_int32_t state = 0;
  auto before = unicode::next(text, position);
  while (position < text.size()) {
    auto behind = position;
    const auto after = unicode::next(text, behind);
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before), static_cast<utf8proc_int32_t>(after), &state)) break;
    before = after;
    position = behind;
  }
  return position;
}

}  // namespace

Charsmap::Charsmap(std::string_view bytes, std::string_view file, std::string_view field) {
  if (bytes.empty()) return;
  std::uint32_t trie_bytes = 0;
  if (bytes.size() < sizeof trie_bytes) throw LoadError(file, field, "is cut off");
  std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
  bytes.remove_prefix(sizeof trie_bytes);
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > bytes.size()) throw LoadError(file, field, "has a trie that does not fit");
  trie_.resize(trie_bytes / 4);
  std::memcpy(trie_.data(), bytes.data(), trie_bytes);
  replacements_ = bytes.substr(trie_bytes);
  if (unicode::valid_utf8(replacements_) != replacements_) throw LoadError(file, field, "has replacements that are no UTF-8");
}

std::optional<std::string_view> Charsmap::find(std::string_view text) const {
  if (trie_.empty()) return std::nullopt;
  std::size_t node = offset(trie_[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    node ^= byte;
    if (byte == 0 || node >= trie_.size() || label(trie_[node]) != byte) return std::nullopt;
    const auto unit = trie_[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= trie_.size() || value(trie_[node]) >= replacements_.size()) return std::nullopt;
    return std::string_view(replacements_.c_str() + value(trie_[node]));
  }
  return std::nullopt;
}

std::string Charsmap::operator()(std::string_view valid) const {
  if (trie_.empty()) return std::string(valid);
  std::string out;
  out.reserve(valid.size());
  for (std::size_t i = 0; i < valid.size();) {
    const auto end = grapheme_end(valid, i);
    if (const auto whole = end - i <= kLongestWhole ? find(valid.substr(i, end - i)) : std::nullopt) {
      out.append(*whole);
      i = end;
      continue;
    }
    while (i < end) {
      const auto begin = i;
      unicode::next(valid, i);
      const auto character = valid.substr(begin, i - begin);
      out.append(find(character).value_or(character));
    }
  }
  return out;
}

}  // namespace kinora::nn
