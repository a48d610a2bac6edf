#pragma once
// Tokens that a tokenizer recognises in the text before anything else splits it: "<|endoftext|>", "<extra_id_7>".
// Immutable after construction: any thread.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/tokenizers/byte_pair.hpp"

namespace kinora::nn {

struct SpecialToken {
  std::string content;                           // not empty
  bool normalized = false;                       // looked for in the normalised text, not in the text as given
  bool single_word = false;                      // only where no letter, digit or underscore touches it
  bool strip_left = false, strip_right = false;  // takes white space beside it along
};

struct AddedToken : SpecialToken {
  TokenId id = 0;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);  // of two with the same content the first stands

  // Cuts a valid UTF-8 text at its tokens, leftmost and longest first: calls plain(part) for what lies between (never empty) and
  // token(id) for each token, in order.
  void split(std::string_view text, const std::function<void(std::string_view)>& plain, const std::function<void(TokenId)>& token) const;

  const std::vector<AddedToken>& tokens() const { return tokens_; }  // by content

 private:
  const AddedToken* longest_at(std::string_view rest) const;
  std::vector<AddedToken> tokens_;
};

}  // namespace kinora::nn
