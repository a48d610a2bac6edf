#include "base/printable.hpp"

#include <gtest/gtest.h>

namespace kinora::base {
namespace {

TEST(Printable, keeps_whole_characters_and_nothing_that_moves_a_cursor) {
  EXPECT_EQ(printable("ok\n\x01\xff"
                      "\xc3\xa9\t!",
                      100),
            "ok ??\xc3\xa9 !");
  EXPECT_EQ(printable("\xe2\x82\xac \xf0\x9f\xa6\x8a", 100), "\xe2\x82\xac \xf0\x9f\xa6\x8a");
}

TEST(Printable, cuts_between_characters) {
  EXPECT_EQ(printable(std::string(2000, 'a'), 1024).size(), 1024U);
  EXPECT_EQ(printable(std::string(1023, 'a') + "\xc3\xa9", 1024).size(), 1023U);
  EXPECT_EQ(printable("\xe2\x82", 100), "??");
  EXPECT_EQ(printable("", 100), "");
}

// RFC 3629, section 3 and 4: overlong forms, surrogates, numbers past U+10FFFF.
TEST(Printable, takes_no_bytes_for_a_character_that_are_none) {
  for (const char* wrong : {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80"})
    EXPECT_EQ(printable(wrong, 100), std::string(std::string_view(wrong).size(), '?')) << wrong;
}

}  // namespace
}  // namespace kinora::base
