// Limits of the cleaning of prompts; the comparison with ftfy is a golden case in models.
#include "nn/prompts/prompt_clean.hpp"

#include <gtest/gtest.h>

namespace kinora::nn {
namespace {

TEST(PromptClean, correct_text_in_many_scripts_is_left_alone) {
  for (const std::string text : {"naïve café", "«CAFÉ»", "Ä“", "AMANHÃ”", "smörgåsbord", "ПРИВЕТ", "猫が好き", "빠른", "żółć", "20 °C"})
    EXPECT_EQ(repair_mojibake(text), text);
}

TEST(PromptClean, a_wrong_decoding_is_undone_as_often_as_it_happened) {
  EXPECT_EQ(repair_mojibake("cafÃ©"), "café");
  EXPECT_EQ(repair_mojibake("cafÃƒÂ©"), "cafÃ©");
  EXPECT_EQ(clean_prompt("cafÃƒÂ©"), "café");
  EXPECT_EQ(repair_mojibake("Ð¿Ñ€Ð¸Ð²ÐµÑ‚"), "привет");
}

TEST(PromptClean, entities_are_resolved_one_level_at_a_time) {
  EXPECT_EQ(unescape_html("&amp;lt; &lt; &#65;&#x42; &eacute &nosuch;"), "&lt; < AB é &nosuch;");
  EXPECT_EQ(clean_prompt("&amp;amp;amp;lt;"), "<");
}

TEST(PromptClean, white_space_becomes_single_spaces) {
  EXPECT_EQ(clean_prompt("  a\t\n b\u00A0\u3000c \r\n"), "a b c");
  EXPECT_EQ(clean_prompt(""), "");
  EXPECT_EQ(clean_prompt(" \n\t"), "");
}

TEST(PromptClean, malformed_utf8_becomes_the_replacement_character) { EXPECT_EQ(clean_prompt("a\xFF b"), "a\uFFFD b"); }

}  // namespace
}  // namespace kinora::nn
