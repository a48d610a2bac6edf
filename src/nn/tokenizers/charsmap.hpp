#pragma once
// The "precompiled charsmap" of SentencePiece: a table of texts and what normalisation replaces them by. Layout: u32 size of the trie in
// bytes, the trie (a Darts double array of u32), then the replacements, each ended by NUL. Little-endian.
// Immutable: any thread.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kinora::nn {

class Charsmap {
 public:
  Charsmap() = default;  // replaces nothing
  // Throws LoadError(file, field, ...) when the sizes do not fit or the replacements are no UTF-8.
  Charsmap(std::string_view bytes, std::string_view file, std::string_view field);

  // Normalises a valid UTF-8 text as the tokenizers library does: a grapheme of up to 5 bytes is replaced whole by what its shortest
  // known beginning stands for; in others each character is, by itself; what is unknown stays.
  std::string operator()(std::string_view valid) const;

 private:
  std::optional<std::string_view> find(std::string_view text) const;

  std::vector<std::uint32_t> trie_;
  std::string replacements_;
};

}  // namespace kinora::nn
