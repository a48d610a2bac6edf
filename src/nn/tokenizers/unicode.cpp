#include "nn/tokenizers/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

namespace kinora::nn::unicode {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

Kind look_up(char32_t code) {
  if (white_space(code)) return Kind::space;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return Kind::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return Kind::number;
    default: return Kind::other;
  }
}

// How many bytes the sequence that starts with `lead` has, and the bounds of its second byte (Unicode table 3-7); 0: no lead byte.
struct Lead {
  std::size_t length;
  unsigned char low, high;
};
Lead lead_of(unsigned char lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Kind kind(char32_t code) {
  static const auto ascii = [] {
    std::array<Kind, 128> table{};
    for (char32_t c = 0; c < 128; ++c) table[c] = look_up(c);
    return table;
  }();
  return code < 128 ? ascii[code] : look_up(code);
}

char32_t next(std::string_view valid, std::size_t& position) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(valid[position + i])); };
  const char32_t lead = byte(0);
  char32_t code = lead;
  std::size_t length = 1;
  if (lead >= 0xF0) {
    code = (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    length = 4;
  } else if (lead >= 0xE0) {
    code = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    length = 3;
  } else if (lead >= 0x80) {
    code = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    length = 2;
  }
  position += length;
  return code;
}

void append(std::string& text, char32_t code) {
  std::array<utf8proc_uint8_t, 4> bytes;
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto [length, low, high] = lead_of(static_cast<unsigned char>(text[i]));
    std::size_t good = length == 0 ? 0 : 1;
    while (good > 0 && good < length && i + good < text.size()) {
      const auto byte = static_cast<unsigned char>(text[i + good]);
      if (byte < (good == 1 ? low : 0x80) || byte > (good == 1 ? high : 0xBF)) break;
      ++good;
    }
    if (length > 0 && good == length)
      out.append(text.substr(i, length));
    else
      append(out, kReplacement);
    i += std::max<std::size_t>(good, 1);
  }
  return out;
}

std::string nfc(std::string_view valid) {
  if (is_ascii(valid)) return std::string(valid);
  utf8proc_uint8_t* mapped = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()), static_cast<utf8proc_ssize_t>(valid.size()),
                                   &mapped, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (length < 0) throw std::bad_alloc();  // a valid text leaves no other reason
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length)};
}

std::string lower(std::string_view valid) {
  std::string out;
  out.reserve(valid.size());
  for (std::size_t i = 0; i < valid.size();) {
    const char32_t code = next(valid, i);
    if (code < 0x80) {
      out.push_back(static_cast<char>(code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code));
    } else if (code == 0x130) {  // the only lower-case mapping of several characters that holds in every context
      out.append("i\xCC\x87");
    } else {
      append(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
    }
  }
  return out;
}

}  // namespace kinora::nn::unicode
