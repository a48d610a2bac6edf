#pragma once
// CLIP's tokenizer: byte-pair encoding of lower-cased words, as CLIPTokenizer of transformers computes it (NFC, no ftfy).
// Reads the folders that Stable Diffusion repositories carry. Immutable after construction: any thread. Errors: LoadError, while loading.
#include <filesystem>
#include <string_view>
#include <vector>

#include "nn/tokenizers/added_tokens.hpp"
#include "nn/tokenizers/byte_pair.hpp"
#include "nn/tokenizers/tokenizer_file.hpp"

namespace kinora::nn {

class ClipTokenizer {
 public:
  // A folder with tokenizer.json, or with vocab.json and merges.txt; beside them tokenizer_config.json, special_tokens_map.json and
  // added_tokens.json when there are.
  static ClipTokenizer open(const std::filesystem::path& folder);
  static ClipTokenizer from_tokenizer_json(const NamedText& file, const TokenizerSettings& settings);
  static ClipTokenizer from_vocab_and_merges(const NamedText& vocab, const NamedText& merges, const TokenizerSettings& settings);

  // The ids of a text of any length, without start and end token. Malformed UTF-8 counts as U+FFFD.
  std::vector<TokenId> encode(std::string_view text) const;
  // One row for the encoder: start, ids, end, padding; ids beyond length - 2 are left out. length >= 2.
  std::vector<TokenId> encode_row(std::string_view text, std::size_t length) const;

  TokenId start() const { return start_; }
  TokenId end() const { return end_; }
  TokenId pad() const { return pad_; }
  std::size_t max_length() const { return max_length_; }  // of a row: 77 unless the configuration says otherwise
  TokenId largest_id() const { return largest_id_; }      // to compare with an encoder's vocabulary

 private:
  ClipTokenizer(Vocabulary vocabulary, const std::vector<MergeRule>& rules, std::vector<AddedToken> added,
                const TokenizerSettings& settings, const std::string& file);
  void encode_plain(std::string_view text, std::vector<TokenId>& ids) const;

  BytePair pairs_;
  AddedTokens raw_, normalized_;
  TokenId start_ = 0, end_ = 0, pad_ = 0, largest_id_ = 0;
  std::size_t max_length_ = 77;
};

}  // namespace kinora::nn
