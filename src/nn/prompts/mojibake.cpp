// Undoes a wrong decoding: UTF-8 that was read as Windows-1252 or Latin-1, one character for each byte.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "nn/prompts/prompt_clean.hpp"
#include "nn/tokenizers/unicode.hpp"

namespace kinora::nn {
namespace {

constexpr std::size_t kEnoughWeak = 3;

// The byte that was read as this character: Latin-1, or Windows-1252 for 0x80..0x9F.
std::optional<unsigned char> byte_of(char32_t code) {
  constexpr std::array<char32_t, 32> windows{0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
                                             0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                             0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
  if (code <= 0xFF) return static_cast<unsigned char>(code);
  const auto* found = std::find(windows.begin(), windows.end(), code);
  if (found == windows.end()) return std::nullopt;
  return static_cast<unsigned char>(0x80 + (found - windows.begin()));
}

// Marks that people do write right behind an accented letter: quotes, dashes, ellipsis, degree, raised letters and digits.
bool written_behind_letters(char32_t code) {
  constexpr std::u32string_view marks = U"‘’“”‚„‹›«»–—…°ªº²³´¨·™\u00A0";
  return marks.find(code) != std::u32string_view::npos;
}

enum class Evidence : std::uint8_t { none, weak, strong };

struct Sequence {
  Evidence evidence = Evidence::none;
  std::size_t length = 0;  // in characters
  std::string bytes;       // UTF-8
};

// A sequence of UTF-8 in the bytes of the characters from `i` on.
Sequence sequence_at(const std::vector<char32_t>& codes, std::size_t i) {
  const auto lead = byte_of(codes[i]);
  if (!lead || *lead < 0xC2 || *lead > 0xF4) return {};
  const std::size_t length = *lead < 0xE0 ? 2 : *lead < 0xF0 ? 3 : 4;
  if (i + length > codes.size()) return {};
  Sequence sequence{Evidence::none, length, std::string(1, static_cast<char>(*lead))};
  bool written = true;
  for (std::size_t k = 1; k < length; ++k) {
    const auto byte = byte_of(codes[i + k]);
    if (!byte || *byte < 0x80 || *byte > 0xBF) return {};
    sequence.bytes.push_back(static_cast<char>(*byte));
    written = written && written_behind_letters(codes[i + k]);
  }
  if (unicode::valid_utf8(sequence.bytes) != sequence.bytes) return {};
  const bool common = length == 4 || *lead == 0xC2 || *lead == 0xC3 || *lead == 0xE2;  // accents, typography, emoji
  sequence.evidence = (common || length == 3) && !(written && *lead != 0xE2) ? Evidence::strong : Evidence::weak;
  return sequence;
}

}  // namespace

std::string repair_mojibake(std::string_view valid) {
  if (unicode::is_ascii(valid)) return std::string(valid);
  std::vector<char32_t> codes;
  for (std::size_t i = 0; i < valid.size();) codes.push_back(unicode::next(valid, i));

  std::string repaired;
  std::size_t weak = 0, strong = 0, others = 0;  // others: characters beyond ASCII outside any sequence
  for (std::size_t i = 0; i < codes.size();) {
    if (const auto sequence = sequence_at(codes, i); sequence.evidence != Evidence::none) {
      ++(sequence.evidence == Evidence::strong ? strong : weak);
      repaired.append(sequence.bytes);
      i += sequence.length;
    } else {
      if (codes[i] >= 0x80) ++others;
      unicode::append(repaired, codes[i++]);
    }
  }
  return strong > 0 || (weak >= kEnoughWeak && others == 0) ? repaired : std::string(valid);
}

}  // namespace kinora::nn
