#include "kinora_train/clips/captions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

namespace kinora::train {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> words_of(std::string text) {
  for (auto& c : text) c = c == ',' || c == '.' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

TEST(Captions, the_plain_wording_is_the_one_that_the_manual_names) {
  EXPECT_EQ(plain_caption({Shape::ball, Colour::red, Direction::left, Background::sky}), "a red ball moves left over a blue sky");
  EXPECT_EQ(plain_caption({Shape::triangle, Colour::orange, Direction::down, Background::grass}),
            "an orange triangle moves down over green grass");
}

TEST(Captions, have_many_wordings_that_all_name_the_colour) {
  std::set<std::string> texts;
  Random random(3);
  for (int i = 0; i < 400; ++i) {
    texts.insert(draw_caption({Shape::square, Colour::purple, Direction::up, Background::sand}, random));
    EXPECT_THAT(*texts.rbegin(), HasSubstr("purple"));
  }
  EXPECT_GT(texts.size(), 200U);
}

TEST(Captions, tell_every_combination_apart) {
  std::set<std::string> texts;
  for (const auto& what : all_combinations()) texts.insert(plain_caption(what));
  EXPECT_EQ(texts.size(), all_combinations().size());
}

TEST(Captions, are_made_of_the_listed_words) {
  const auto known = caption_words();
  EXPECT_TRUE(std::is_sorted(known.begin(), known.end()));
  EXPECT_EQ(std::adjacent_find(known.begin(), known.end()), known.end());
  Random random(4);
  const auto all = all_combinations();
  for (std::size_t i = 0; i < 2000; ++i)
    for (const auto& word : words_of(draw_caption(all[i % all.size()], random))) EXPECT_THAT(known, Contains(word));
}

TEST(Captions, for_training_hold_a_made_up_word_now_and_then) {
  const auto known = caption_words();
  Random random(5);
  int with = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto words = words_of(draw_training_caption({Shape::star, Colour::red, Direction::up, Background::sky}, random));
    with += std::any_of(words.begin(), words.end(),
                        [&](const auto& word) { return std::find(known.begin(), known.end(), word) == known.end(); });
  }
  EXPECT_NEAR(with, 100, 40);  // one in ten; four deviations
}

}  // namespace
}  // namespace kinora::train
