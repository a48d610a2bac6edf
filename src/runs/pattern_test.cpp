#include "runs/pattern.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <regex>

namespace kinora::runs {
namespace {

bool found(std::string_view pattern, std::string_view text) {
  const auto compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern;
  return compiled && compiled->found_in(text);
}

// Expected values: RE2's syntax page and hand reading.
TEST(Pattern, finds_what_the_syntax_says) {
  EXPECT_TRUE(found("fox", "a red fox runs"));
  EXPECT_FALSE(found("^fox", "a red fox"));
  EXPECT_TRUE(found("^a.*fox$", "a red fox"));
  EXPECT_TRUE(found("", ""));
  EXPECT_TRUE(found("^$", ""));
  EXPECT_FALSE(found("^$", "x"));
  EXPECT_TRUE(found("^(?:ab|cd)+$", "abcdab"));
  EXPECT_FALSE(found("^(?:ab|cd)+$", "abcda"));
  EXPECT_TRUE(found("^[a-c]{2,3}$", "abc"));
  EXPECT_FALSE(found("^[a-c]{2,3}$", "abca"));
  EXPECT_TRUE(found("^x{3}y{0,1}z{2,}$", "xxxzzzz"));
  EXPECT_TRUE(found("[^0-9]", "1a"));
  EXPECT_FALSE(found("[^0-9]", "12"));
  EXPECT_TRUE(found("\\d+\\.\\d+", "v1.25"));
  EXPECT_TRUE(found("^\\w+\\s\\S+$", "hello w-rld"));
  EXPECT_TRUE(found("[]x]", "]"));
  EXPECT_TRUE(found("[a\\-z]", "-"));
  EXPECT_FALSE(found("a.c", "a\nc"));
  EXPECT_TRUE(found("^(a|b|)c$", "c"));
  EXPECT_TRUE(found("a??b", "b"));
}

TEST(Pattern, reads_utf8_by_characters_and_takes_wrong_bytes) {
  EXPECT_TRUE(found("^.$", "\xc3\xa9"));  // e with acute
  EXPECT_TRUE(found("^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9"));
  EXPECT_TRUE(found("^..$", "\xff\xfe"));
}

TEST(Pattern, refuses_what_it_does_not_do) {
  for (const char* bad : {"(",  ")",   "[",   "a)",    "*a",    "a**",      "a{2,1}", "a{101}",  "a{",      "a{x}",
                          "\\", "\\1", "\\b", "(?=a)", "(?i)a", "(?P<n>a)", "[z-a]",  "[a-\\d]", "a{2}{3}", "[\\D]"})
    EXPECT_FALSE(Pattern::compile(bad)) << bad;
  EXPECT_EQ(Pattern::compile(std::string(513, 'a')).error().code, base::ErrorCode::too_large);
  EXPECT_EQ(Pattern::compile("((a{100}){100}){100}").error().code, base::ErrorCode::too_large);
  EXPECT_EQ(Pattern::compile(std::string(60, '(') + std::string(60, ')')).error().code, base::ErrorCode::too_large);
}

TEST(Pattern, takes_linear_time_where_backtracking_takes_for_ever) {
  const std::string text(10'000, 'a');
  EXPECT_FALSE(found("^(a+)+$", text + "b"));
  EXPECT_FALSE(found("(a*)*b$", text));
  EXPECT_TRUE(found("(a|aa)+$", text));
}

TEST(Pattern, agrees_with_the_standard_librarys_ecmascript) {
  const bool good = rc::check("random patterns over a small alphabet", [] {
    const auto pieces = *rc::gen::container<std::vector<std::string>>(
        *rc::gen::inRange(0, 8),
        rc::gen::elementOf(std::vector<std::string>{"a", "b", "a*", "b+", "(a|b)", "(?:ab)?", "[^a]", "a{2}", "(a|b*)", "."}));
    std::string pattern;
    for (const std::string& piece : pieces) pattern += piece;
    if (*rc::gen::arbitrary<bool>()) pattern = "^" + pattern;
    if (*rc::gen::arbitrary<bool>()) pattern += "$";
    const auto text = *rc::gen::container<std::string>(*rc::gen::inRange(0, 8), rc::gen::elementOf(std::string("ab")));
    const auto compiled = Pattern::compile(pattern);
    RC_ASSERT(compiled.has_value());
    RC_ASSERT(compiled->found_in(text) == std::regex_search(text, std::regex(pattern)));
  });
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace kinora::runs
