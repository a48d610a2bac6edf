#pragma once
// spiece.model: SentencePiece's own file, a protocol buffer (sentencepiece_model.proto). Only what a unigram tokenizer needs is read.
#include <string>
#include <vector>

#include "nn/tokenizers/tokenizer_file.hpp"
#include "nn/tokenizers/unigram.hpp"

namespace kinora::nn {

struct SentencePieceFile {
  std::vector<Piece> pieces;
  TokenId unknown = 0;         // trainer_spec.unk_id
  bool byte_fallback = false;  // trainer_spec.byte_fallback
  std::string charsmap;        // normalizer_spec.precompiled_charsmap
};

// Throws LoadError naming the field for anything that is cut off, of a wrong wire type, or no unigram model.
SentencePieceFile parse_sentencepiece(const NamedText& file);

}  // namespace kinora::nn
