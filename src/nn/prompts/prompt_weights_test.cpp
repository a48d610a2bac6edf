// The prompt syntax. Expected values marked A1111 are the examples in the documentation of AUTOMATIC1111's parse_prompt_attention.
#include "nn/prompts/prompt_weights.hpp"

#include <gtest/gtest.h>

namespace kinora::nn {
namespace {

using Expected = std::vector<std::vector<std::pair<std::string, double>>>;

void expect_parsed(std::string_view prompt, const Expected& expected) {
  const auto parsed = parse_prompt(prompt);
  ASSERT_EQ(parsed.size(), expected.size()) << prompt;
  for (std::size_t s = 0; s < parsed.size(); ++s) {
    ASSERT_EQ(parsed[s].size(), expected[s].size()) << prompt;
    for (std::size_t i = 0; i < parsed[s].size(); ++i) {
      EXPECT_EQ(parsed[s][i].text, expected[s][i].first) << prompt;
      EXPECT_DOUBLE_EQ(parsed[s][i].weight, expected[s][i].second) << prompt;
    }
  }
}

TEST(PromptWeights, agrees_with_the_examples_of_the_common_interface) {  // A1111
  expect_parsed("normal text", {{{"normal text", 1.0}}});
  expect_parsed("an (important) word", {{{"an ", 1.0}, {"important", 1.1}, {" word", 1.0}}});
  expect_parsed("(unbalanced", {{{"unbalanced", 1.1}}});
  expect_parsed(R"(\(literal\])", {{{"(literal]", 1.0}}});
  expect_parsed("(unnecessary)(parens)", {{{"unnecessaryparens", 1.1}}});
  expect_parsed("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", {{{"a ", 1.0},
                                                                         {"house", 1.5730000000000004},
                                                                         {" ", 1.1},
                                                                         {"on", 1.0},
                                                                         {" a ", 1.1},
                                                                         {"hill", 0.55},
                                                                         {", sun, ", 1.1},
                                                                         {"sky", 1.4641000000000006},
                                                                         {".", 1.1}}});
}

TEST(PromptWeights, a_weight_may_have_spaces_a_sign_or_no_leading_digit) {
  expect_parsed("(a:  +1.5 )", {{{"a", 1.5}}});
  expect_parsed("(a:-0.5)", {{{"a", -0.5}}});
  expect_parsed("(a:.5)(b:2)", {{{"a", 0.5}, {"b", 2.0}}});
  expect_parsed("(a:0)", {{{"a", 0.0}}});
}

TEST(PromptWeights, what_is_no_weight_is_text) {
  expect_parsed("ratio 16:9", {{{"ratio 16:9", 1.0}}});
  expect_parsed("a:1.2)", {{{"a:1.2)", 1.0}}});
  expect_parsed("(a:1.2.3)", {{{"a:1.2.3", 1.1}}});
  expect_parsed("(a:nan)", {{{"a:nan", 1.1}}});
  expect_parsed("(time 10:3)", {{{"time 10", 3.0}}});  // as in the interface: a number before the bracket is the weight
}

TEST(PromptWeights, square_brackets_weaken_and_know_no_number) {
  expect_parsed("[a]", {{{"a", 1 / 1.1}}});
  expect_parsed("[[a] b]", {{{"a", 1 / 1.1 / 1.1}, {" b", 1 / 1.1}}});
  expect_parsed("[a:2]", {{{"a:2", 1 / 1.1}}});
}

TEST(PromptWeights, escaped_characters_and_lone_closing_brackets_are_text) {
  expect_parsed(R"(\(a\) \[b\] c\\)", {{{R"((a) [b] c\)", 1.0}}});
  expect_parsed("a) b] c", {{{"a) b] c", 1.0}}});
  expect_parsed(R"(C:\dir)", {{{R"(C:\dir)", 1.0}}});
  expect_parsed(R"((a\)b))", {{{"a)b", 1.1}}});
}

TEST(PromptWeights, break_begins_a_section_and_eats_the_space_around_it) {
  expect_parsed("a cat BREAK a dog", {{{"a cat", 1.0}}, {{"a dog", 1.0}}});
  expect_parsed("a\nBREAK\n\nb", {{{"a", 1.0}}, {{"b", 1.0}}});
  expect_parsed("BREAK a BREAK", {{}, {{"a", 1.0}}, {}});
  expect_parsed("(a BREAK b)", {{{"a", 1.1}}, {{"b", 1.1}}});
  expect_parsed("BREAKFAST, break, aBREAK", {{{"BREAKFAST, break, aBREAK", 1.0}}});
}

TEST(PromptWeights, an_empty_prompt_is_one_empty_section) {
  expect_parsed("", {{}});
  expect_parsed("()", {{}});
}

TEST(PromptWeights, refuses_weights_beyond_ten_and_prompts_beyond_the_limit) {
  EXPECT_NO_THROW(parse_prompt("(a:10)(b:-10)"));
  EXPECT_THROW(parse_prompt("(a:10.01)"), std::invalid_argument);
  EXPECT_THROW(parse_prompt("((a:9))((b:9.2))"), std::invalid_argument);
  EXPECT_NO_THROW(parse_prompt(std::string(kMaxPromptBytes, 'a')));
  EXPECT_THROW(parse_prompt(std::string(kMaxPromptBytes + 1, 'a')), std::invalid_argument);
}

TEST(PromptWeights, the_deepest_nesting_that_fits_takes_bounded_time) {
  std::string deep;
  while (deep.size() + 4 <= kMaxPromptBytes) deep += "([a]";
  EXPECT_THROW(parse_prompt(deep), std::invalid_argument);  // 1.1 to the power of thousands
}

}  // namespace
}  // namespace kinora::nn
