#include "base/printable.hpp"

#include <algorithm>

namespace kinora::base {
namespace {

// Bytes of the character that begins there; 0: none does.
std::size_t character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                                                           : 0;
  if (length > text.size()) return 0;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  if (length > 1 && !std::ranges::all_of(text.substr(1, length - 1), continues)) return 0;
  // Neither longer than needed, nor a surrogate, nor past U+10FFFF.
  const auto second = length > 2 ? static_cast<unsigned char>(text[1]) : 0U;
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
      (lead == 0xf4 && second > 0x8f))
    return 0;
  return length;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string out;
  while (!text.empty() && out.size() < max_bytes) {
    const std::size_t length = character(text);
    if (length > max_bytes - out.size()) break;
    if (length == 0 || (length == 1 && is_control(text.front())))
      out += text.front() == '\n' || text.front() == '\t' ? ' ' : '?';
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace kinora::base
