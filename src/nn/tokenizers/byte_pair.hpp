#pragma once
// Byte-pair encoding over bytes, the part that CLIP's and GPT-2's tokenizers share. A vocabulary writes each byte as one printable
// character (GPT-2's table: 33..126, 161..172 and 174..255 stand for themselves, the others for U+0100 on in order).
// Immutable after construction: any thread. Errors: LoadError naming file and field, at construction only.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kinora::nn {

using TokenId = std::int32_t;
using Vocabulary = std::unordered_map<std::string, TokenId>;  // token in byte characters -> id
using MergeRule = std::pair<std::string, std::string>;

inline constexpr std::size_t kMaxVocabulary = 1 << 20;  // tokens; merge rules as well

std::string byte_character(unsigned char byte);  // UTF-8 of the character that stands for the byte

class BytePair {
 public:
  // `suffix` is appended to the last character of a word ("</w>" or nothing). `unknown` replaces a character that the vocabulary
  // lacks; without it such characters vanish. `file` is for errors; rules earlier in the list win.
  BytePair(const Vocabulary& vocabulary, const std::vector<MergeRule>& rules, std::string_view suffix, std::optional<TokenId> unknown,
           std::string_view file);

  // Appends the ids of one word (any bytes, not empty). Time n log n.
  void encode(std::string_view word, std::vector<TokenId>& ids) const;

 private:
  struct Rule {
    std::uint64_t pair = ~std::uint64_t{0};  // left id << 32 | right id
    std::int32_t rank = 0;
    TokenId merged = 0;
  };
  const Rule* find(TokenId left, TokenId right) const;
  void insert(Rule rule);

  std::array<std::optional<TokenId>, 256> inner_, last_;  // id of a byte, within a word and at its end
  std::vector<Rule> rules_;                               // open addressing, a power of two
};

}  // namespace kinora::nn
