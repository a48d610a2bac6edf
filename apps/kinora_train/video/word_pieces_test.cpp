#include "kinora_train/video/word_pieces.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "kinora_train/clips/captions.hpp"
#include "kinora_train/test_pictures.hpp"
#include "kinora_train/video/starter_folder.hpp"
#include "nn/tokenizers/unigram_tokenizer.hpp"

namespace kinora::train {
namespace {

class WordPieces : public ::testing::Test {
 protected:
  WordPieces() { write_tokenizer(folder_ / "tokenizer"); }
  const TestFolder folder_;
};

TEST_F(WordPieces, a_caption_is_one_token_a_word_with_small_and_capital_letters_alike) {
  const auto tokenizer = nn::UnigramTokenizer::open(folder_ / "tokenizer");
  const auto ids = tokenizer.encode("a red ball moves left over a blue sky");
  EXPECT_EQ(ids.size(), 9U);
  EXPECT_EQ(ids[0], ids[6]);
  EXPECT_EQ(tokenizer.encode("A RED Ball moves left over a blue sky"), ids);
  EXPECT_EQ(tokenizer.encode("a red ball moves left over a blue sky.").size(), 10U);
}

TEST_F(WordPieces, every_caption_word_is_known_and_other_words_are_spelt) {
  const auto tokenizer = nn::UnigramTokenizer::open(folder_ / "tokenizer");
  for (const auto& word : caption_words()) EXPECT_EQ(tokenizer.encode(word).size(), 1U) << word;
  EXPECT_EQ(tokenizer.encode("zq7").size(), 4U);  // the space before it, z, q, 7
  EXPECT_EQ(tokenizer.end(), 1);
  EXPECT_EQ(tokenizer.pad(), 0);
  const auto row = tokenizer.encode_row("the night", 5);
  EXPECT_EQ(row.real, 3U);
  EXPECT_EQ(row.ids[2], 1);
  EXPECT_EQ(row.ids[4], 0);
}

}  // namespace
}  // namespace kinora::train
