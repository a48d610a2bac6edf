#include "gateway/content_headers.hpp"

#include <gtest/gtest.h>

namespace kinora::gateway {
namespace {

TEST(EntityTag, is_found_in_a_list_by_weak_comparison) {
  EXPECT_TRUE(etag_listed("\"a\"", "\"a\""));
  EXPECT_TRUE(etag_listed("\"b\", W/\"a\"", "\"a\""));
  EXPECT_TRUE(etag_listed(" * ", "\"a\""));
  EXPECT_FALSE(etag_listed("\"ab\"", "\"a\""));
  EXPECT_FALSE(etag_listed("", "\"a\""));
  EXPECT_FALSE(etag_listed(",,,", "\"a\""));
}

TEST(IfRange, allows_a_range_for_the_same_strong_tag_only) {
  EXPECT_TRUE(range_allowed(std::nullopt, "\"a\""));
  EXPECT_TRUE(range_allowed("\"a\"", "\"a\""));
  EXPECT_FALSE(range_allowed("W/\"a\"", "\"a\""));
  EXPECT_FALSE(range_allowed("Sat, 29 Oct 1994 19:43:31 GMT", "\"a\""));
}

// RFC 6266, section 5: the last example's file name.
TEST(ContentDisposition, gives_both_forms_for_a_name_beyond_ascii) {
  EXPECT_EQ(content_disposition("attachment", "clip.mp4"), "attachment; filename=\"clip.mp4\"");
  EXPECT_EQ(content_disposition("attachment", "\xe2\x82\xac rates"),
            "attachment; filename=\"___ rates\"; filename*=UTF-8''%E2%82%AC%20rates");
}

TEST(ContentDisposition, never_lets_a_name_break_out_of_its_quotes) {
  const auto text = content_disposition("inline", "a\"; x=\r\nSet-Cookie: b");
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.substr(0, 24), "inline; filename=\"a_; x=");
}

TEST(SafeFilename, keeps_the_last_segment_without_controls) {
  EXPECT_EQ(safe_filename("../../etc/passwd"), "passwd");
  EXPECT_EQ(safe_filename("C:\\clips\\a b.mp4"), "a b.mp4");
  EXPECT_EQ(safe_filename(std::string("a\0b\n", 4)), "ab");
  EXPECT_EQ(safe_filename(".."), "file");
  EXPECT_EQ(safe_filename("x/"), "file");
}

TEST(SafeFilename, cuts_a_long_name_at_a_character) {
  const std::string name = safe_filename(std::string(199, 'a') + "\xc3\xa9");
  EXPECT_EQ(name, std::string(199, 'a'));
}

}  // namespace
}  // namespace kinora::gateway
