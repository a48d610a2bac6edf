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

// RFC 2397, section 4: "A brief note".
TEST(DataUri, reads_percent_encoded_and_base64_data) {
  EXPECT_EQ(parse_data_uri("data:text/plain,A%20brief%20note")->bytes, "A brief note");
  const auto uri = parse_data_uri("data:image/png;base64,iVBORw0KGgo=");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->mime, "image/png");
  EXPECT_EQ(uri->bytes, "\x89PNG\r\n\x1a\n");
}

TEST(DataUri, refuses_malformed_ones) {
  for (const std::string bad : {"", "data:", "data:,x", "data:image/png;base64", "data:image/png;base64,@@", "data:image,x", "http://x",
                                "data:image/png/x;base64,AA==", "data:image/pn g,x"})
    EXPECT_FALSE(parse_data_uri(bad)) << bad;
}

TEST(DataUri, holds_at_most_256_KiB) {
  EXPECT_TRUE(parse_data_uri("data:text/plain," + std::string(kMaxDataUriBytes, 'a')));
  const auto over = parse_data_uri("data:text/plain," + std::string(kMaxDataUriBytes + 1, 'a'));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, base::ErrorCode::too_large);
  EXPECT_EQ(parse_data_uri("data:text/plain," + std::string(4 * kMaxDataUriBytes, 'a')).error().code, base::ErrorCode::too_large);
}

}  // namespace
}  // namespace kinora::gateway
