#pragma once
// Unicode for the tokenizers, by utf8proc (Unicode 15). Texts are UTF-8; functions that say "valid" need the result of valid_utf8. Pure.
#include <cstdint>
#include <string>
#include <string_view>

namespace kinora::nn::unicode {

enum class Kind : std::uint8_t { space, letter, number, other };  // \s (White_Space), \p{L}, \p{N}, the rest
Kind kind(char32_t code);

// Reads the code point at `position` of a valid text and moves behind it.
char32_t next(std::string_view valid, std::size_t& position);
void append(std::string& text, char32_t code);

bool is_ascii(std::string_view text);
std::string valid_utf8(std::string_view text);  // every malformed part becomes one U+FFFD, as WHATWG decoders do
std::string nfc(std::string_view valid);
std::string lower(std::string_view valid);  // character by character, without context (the final sigma is not treated)

}  // namespace kinora::nn::unicode
