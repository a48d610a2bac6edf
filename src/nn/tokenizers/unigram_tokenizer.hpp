#pragma once
// The tokenizer of T5 and UMT5: SentencePiece's unigram model with the normalisation that the tokenizer's files describe, as the
// tokenizers library computes it. Immutable after construction: any thread. Errors: LoadError, while loading.
#include <filesystem>
#include <string_view>
#include <vector>

#include "nn/tokenizers/added_tokens.hpp"
#include "nn/tokenizers/charsmap.hpp"
#include "nn/tokenizers/tokenizer_file.hpp"
#include "nn/tokenizers/unigram.hpp"

namespace kinora::nn {

class UnigramTokenizer {
 public:
  // A folder with tokenizer.json or spiece.model; beside it tokenizer_config.json and special_tokens_map.json when there are.
  static UnigramTokenizer open(const std::filesystem::path& folder);
  static UnigramTokenizer from_tokenizer_json(const NamedText& file, const TokenizerSettings& settings);
  // The rules that are not in the file are T5's for a model without byte fallback, else those that every other model is converted with.
  static UnigramTokenizer from_spiece_model(const NamedText& file, const TokenizerSettings& settings);

  // The ids of a text of any length, without end token. Malformed UTF-8 counts as U+FFFD.
  std::vector<TokenId> encode(std::string_view text) const;

  struct Row {
    std::vector<TokenId> ids;  // ids, end token, padding; ids beyond length - 1 are left out
    std::size_t real = 0;      // how many are not padding
  };
  Row encode_row(std::string_view text, std::size_t length) const;  // length >= 1

  TokenId end() const { return end_; }
  TokenId pad() const { return pad_; }
  std::size_t max_length() const { return max_length_; }  // of a row: 512 unless the configuration says otherwise
  TokenId largest_id() const { return largest_id_; }

 private:
  enum class Prepend : std::uint8_t { always, first, never };
  struct Step {
    enum class Kind : std::uint8_t { charsmap, strip, replace, collapse } kind;  // collapse: runs of two spaces and more
    bool left = false, right = false;                                            // strip
    std::string pattern, content;                                                // replace, collapse
  };

  UnigramTokenizer(const std::vector<Piece>& pieces, TokenId unknown, bool byte_fallback, const std::string& file);
  void read_normalizer(const JsonMember& normalizer);
  void read_pre_tokenizer(const JsonMember& pre_tokenizer);
  void add_tokens(std::vector<AddedToken> added, const TokenizerSettings& settings, const std::string& file);
  std::string normalized(std::string_view text) const;
  void encode_plain(std::string_view text, bool first, std::vector<TokenId>& ids) const;
  void encode_word(std::string word, bool first, std::vector<TokenId>& ids) const;

  Unigram model_;
  AddedTokens raw_, normalized_;
  Charsmap charsmap_;
  std::vector<Step> steps_;
  bool split_at_space_ = false;
  Prepend prepend_ = Prepend::always;
  bool split_at_mark_ = true;
  TokenId end_ = 1, pad_ = 0, largest_id_ = 0;
  std::size_t max_length_ = 512;
};

}  // namespace kinora::nn
