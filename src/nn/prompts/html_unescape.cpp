// HTML character references, as Python's html.unescape resolves them, for the names of HTML 4.
#include <algorithm>
#include <array>
#include <optional>

#include "nn/prompts/html_entities.hpp"
#include "nn/prompts/prompt_clean.hpp"
#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

constexpr std::size_t kLongestName = 32;

const HtmlEntity* find(std::string_view name) {
  const auto* found = std::lower_bound(std::begin(kHtmlEntities), std::end(kHtmlEntities), name,
                                       [](const HtmlEntity& entity, std::string_view wanted) { return entity.name < wanted; });
  return found != std::end(kHtmlEntities) && found->name == name ? found : nullptr;
}

// What HTML makes of a number: Windows-1252 for C1 controls, U+FFFD for what is no character, nothing for non-characters.
std::string character(std::uint32_t number) {
  constexpr std::array<char16_t, 32> windows{0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                             0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                             0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  std::string out;
  char32_t code = number;
  if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF)) code = 0xFFFD;
  if (number >= 0x80 && number <= 0x9F) code = windows[number - 0x80];
  const bool control = (number >= 1 && number <= 8) || number == 0xB || (number >= 0xE && number <= 0x1F) || number == 0x7F;
  const bool none = (number >= 0xFDD0 && number <= 0xFDEF) || ((number & 0xFFFE) == 0xFFFE && number <= 0x10FFFF);
  if (!control && !none) unicode::append(out, code);
  return out;
}

struct Reference {
  std::string text;
  std::size_t length;  // from the ampersand on
};

std::optional<Reference> numeric(std::string_view text) {  // "&#..."
  std::size_t i = 2;
  const bool hexadecimal = i < text.size() && (text[i] == 'x' || text[i] == 'X');
  if (hexadecimal) ++i;
  const auto begin = i;
  std::uint32_t number = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i], lower = static_cast<char>(c | 0x20);
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(hexadecimal && lower >= 'a' && lower <= 'f')) break;
    const auto value = static_cast<std::uint32_t>(digit ? c - '0' : lower - 'a' + 10);
    number = number > 0x110000 ? number : number * (hexadecimal ? 16 : 10) + value;
  }
  if (i == begin) return std::nullopt;
  if (i < text.size() && text[i] == ';') ++i;
  return Reference{character(number), i};
}

std::optional<Reference> named(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && end <= kLongestName && std::string_view("\t\n\f <&#;").find(text[end]) == std::string_view::npos) ++end;
  const auto name = text.substr(1, end - 1);
  std::string out;
  if (end < text.size() && text[end] == ';') {
    if (const auto* entity = find(name)) return unicode::append(out, entity->code), Reference{out, end + 1};
  }
  for (auto length = name.size(); length >= 2; --length) {  // the longest beginning that needs no semicolon
    const auto* entity = find(name.substr(0, length));
    if (entity != nullptr && entity->bare) return unicode::append(out, entity->code), Reference{out, 1 + length};
  }
  return std::nullopt;
}

}  // namespace

std::string unescape_html(std::string_view valid) {
  std::string out;
  for (std::size_t i = 0; i < valid.size();) {
    const auto next = std::min(valid.find('&', i), valid.size());
    out.append(valid.substr(i, next - i));
    if (next == valid.size()) break;
    const auto rest = valid.substr(next);
    const auto reference = rest.size() > 1 && rest[1] == '#' ? numeric(rest) : named(rest);
    if (!reference) out.push_back('&');
    if (reference) out.append(reference->text);
    i = next + (reference ? reference->length : 1);
  }
  return out;
}

}  // namespace kinora::nn
