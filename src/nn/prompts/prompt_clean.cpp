#include "nn/prompts/prompt_clean.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

constexpr int kMaxRounds = 8;  // of repair; text that still changes then stays as it is

struct Ligature {
  char32_t code;
  std::string_view letters;
};
constexpr std::array<Ligature, 22> kLigatures{
    {{U'\u0132', "IJ"},      {U'\u0133', "ij"},      {U'\u0149', "\u02BCn"}, {U'\u01F1', "DZ"}, {U'\u01F2', "Dz"}, {U'\u01F3', "dz"},
     {U'\u01C4', "D\u017D"}, {U'\u01C5', "D\u017E"}, {U'\u01C6', "d\u017E"}, {U'\u01C7', "LJ"}, {U'\u01C8', "Lj"}, {U'\u01C9', "lj"},
     {U'\u01CA', "NJ"},      {U'\u01CB', "Nj"},      {U'\u01CC', "nj"},      {U'\uFB00', "ff"}, {U'\uFB01', "fi"}, {U'\uFB02', "fl"},
     {U'\uFB03', "ffi"},     {U'\uFB04', "ffl"},     {U'\uFB05', "\u017Ft"}, {U'\uFB06', "st"}}};

std::string nfkc(char32_t code) {
  std::string text;
  unicode::append(text, code);
  utf8proc_uint8_t* mapped = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                                   &mapped, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  return length < 0 ? text : std::string(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length));
}

bool control(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || (c >= 0x206A && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFC);
}

// The length of a terminal escape ("\x1B[1;31m") at the beginning of a text, or 0.
std::size_t escape_length(std::string_view text) {
  if (!text.starts_with("\x1B[")) return 0;
  const auto end = text.find_first_not_of("0123456789;", 2);
  const bool letter = end != std::string_view::npos && ((text[end] | 0x20) >= 'a' && (text[end] | 0x20) <= 'z');
  return letter ? end + 1 : 0;
}

std::string plain_characters(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (const auto escape = escape_length(text.substr(i))) {
      i += escape;
      continue;
    }
    const char32_t code = unicode::next(text, i);
    const auto* ligature = std::find_if(kLigatures.begin(), kLigatures.end(), [code](const Ligature& l) { return l.code == code; });
    if (code >= 0x80 && code <= 0x9F)
      out.append(unescape_html("&#" + std::to_string(code) + ";"));  // meant for Windows-1252, as HTML reads it
    else if (ligature != kLigatures.end())
      out.append(ligature->letters);
    else if (code == 0x3000)
      out.push_back(' ');
    else if (code >= 0xFF01 && code <= 0xFFEF)
      out.append(nfkc(code));
    else if (code == 0x2BC || (code >= 0x2018 && code <= 0x201B))
      out.push_back('\'');
    else if (code >= 0x201C && code <= 0x201F)
      out.push_back('"');
    else if (code == 0x2028 || code == 0x2029 || code == U'\r')
      out.push_back('\n');
    else if (!control(code))
      unicode::append(out, code);
  }
  return unicode::nfc(out);
}

std::string fixed(std::string text) {
  for (int round = 0; round < kMaxRounds; ++round) {
    const auto before = text;
    if (text.find('<') == std::string::npos) text = unescape_html(text);  // text with tags is meant as HTML
    for (int layer = 0; layer < kMaxRounds; ++layer) {
      auto repaired = repair_mojibake(text);
      if (repaired == text) break;
      text = std::move(repaired);
    }
    text = plain_characters(text);
    if (text == before) break;
  }
  return text;
}

std::string single_spaced(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto code = unicode::next(text, i);
    if (unicode::kind(code) != unicode::Kind::space)
      unicode::append(out, code);
    else if (!out.empty() && out.back() != ' ')
      out.push_back(' ');
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

std::string clean_prompt(std::string_view prompt) {
  const auto text = unicode::valid_utf8(prompt);
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {  // line by line: each may have its own history
    const auto end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    out.append(fixed(text.substr(begin, end - begin)));
    begin = end;
  }
  return single_spaced(unescape_html(unescape_html(out)));
}

}  // namespace kinora::nn
