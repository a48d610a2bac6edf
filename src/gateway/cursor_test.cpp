#include "gateway/cursor.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace kinora::gateway {
namespace {

base::Bytes counting_key() {
  base::Bytes key(32);
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  return key;
}

const Cursor kCursor{base::UnixMillis{std::chrono::milliseconds{1'767'225'600'000}}, "job_01KE0000000000000000000001", false, "e3b0c442"};
// The vector of developer-api 5.1.
constexpr std::string_view kText =
    "eyJmIjoiZTNiMGM0NDIiLCJrIjpbMTc2NzIyNTYwMDAwMCwiam9iXzAxS0UwMDAwMDAwMDAwMDAwMDAwMDAwMDAxIl0sIm8iOiJkZXNjIn0.AY3RrDCyRAR1jZJhYpMdEA";

TEST(Cursor, has_the_specified_text) { EXPECT_EQ(encode_cursor(counting_key(), kCursor), kText); }

TEST(Cursor, reads_what_it_wrote) {
  const auto cursor = decode_cursor(counting_key(), kText);
  ASSERT_TRUE(cursor);
  EXPECT_EQ(*cursor, kCursor);
}

TEST(Cursor, hash_of_no_filters_is_the_head_of_the_empty_digest) { EXPECT_EQ(hash_filters(""), "e3b0c442"); }

TEST(Cursor, refuses_what_another_key_signed_or_anyone_changed) {
  EXPECT_FALSE(decode_cursor(base::Bytes(32), kText));
  for (std::size_t i = 0; i < kText.size(); i += 7) {
    std::string changed(kText);
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(decode_cursor(counting_key(), changed)) << i;
  }
}

TEST(Cursor, refuses_malformed_text) {
  for (const std::string& bad : {std::string(), std::string("."), std::string("e30."), std::string("job_01KE0000000000000000000001"),
                                 std::string(kMaxCursorBytes + 1, 'A')})
    EXPECT_FALSE(decode_cursor(counting_key(), bad)) << bad;
}

}  // namespace
}  // namespace kinora::gateway
