#pragma once
// The unigram language model of SentencePiece: splits a text into the pieces whose scores (log probabilities) have the greatest sum.
// Immutable: any thread.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/tokenizers/byte_pair.hpp"

namespace kinora::nn {

struct Piece {
  std::string text;
  double score = 0;
};

class Unigram {
 public:
  // Piece i has id i. byte_fallback: unknown text becomes the pieces "<0x00>".."<0xFF>" of its bytes, where there are all.
  // Throws LoadError(file, ...) for an unknown id outside the list, a score that is not finite, no pieces or too many.
  Unigram(const std::vector<Piece>& pieces, TokenId unknown, bool byte_fallback, std::string_view file);

  // Appends the ids of a valid UTF-8 text. Neighbouring unknown characters give one unknown id. Time: length times the longest piece.
  void encode(std::string_view text, std::vector<TokenId>& ids) const;
  std::optional<TokenId> find(std::string_view piece) const;
  std::size_t size() const { return scores_.size(); }

 private:
  using Node = std::uint32_t;  // 0 is the root
  struct Edge {
    std::uint32_t key = 0;  // parent << 8 | byte; a child is never 0, which marks an empty slot
    Node child = 0;
  };
  Node step(Node node, unsigned char byte) const;  // 0: none
  Node add_step(Node node, unsigned char byte);
  void grow();

  std::vector<double> scores_;
  std::vector<Edge> edges_;      // open addressing, a power of two
  std::vector<TokenId> pieces_;  // of each node: the piece that ends there, or -1
  TokenId unknown_;
  double unknown_score_ = 0;
  bool byte_fallback_ = false;
  std::array<TokenId, 256> bytes_{};
};

}  // namespace kinora::nn
