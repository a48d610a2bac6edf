#include "base/ulid.hpp"

#include <gtest/gtest.h>

#include <set>

namespace kinora::base {
namespace {

using std::chrono::milliseconds;

// github.com/ulid/javascript, README: ulid(1469918176385) starts with 01ARYZ6S41.
TEST(Ulid, encodes_the_time_as_the_reference_does) {
  EXPECT_EQ(encode_ulid(UnixMillis(milliseconds(1469918176385)), {}), "01ARYZ6S410000000000000000");
}
TEST(Ulid, encodes_eighty_random_bits) {
  std::array<std::uint8_t, 10> ones;
  ones.fill(0xff);
  EXPECT_EQ(encode_ulid(UnixMillis(milliseconds((1ll << 48) - 1)), ones), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");  // the spec's largest
}
TEST(Ulid, recognises_ids_with_their_prefix) {
  EXPECT_TRUE(is_id("job", "job_01KE0000000000000000000001"));
  EXPECT_FALSE(is_id("job", "art_01KE0000000000000000000001"));
  EXPECT_FALSE(is_id("job", "job_01KE000000000000000000000I"));  // I is not in the alphabet
  EXPECT_FALSE(is_id("job", "job_81KE0000000000000000000001"));  // more than 128 bits
  EXPECT_FALSE(is_id("job", "job_01KE00000000000000000000011"));
}
TEST(UlidSource, rises_strictly_even_when_the_clock_stands_or_goes_back) {
  UlidSource source;
  std::string last;
  for (const int at : {5, 5, 5, 3, 1, 6, 6}) {
    const std::string next = source.next(UnixMillis(milliseconds(at)));
    EXPECT_TRUE(is_ulid(next));
    EXPECT_LT(last, next);
    last = next;
  }
}

TEST(UlidSource, two_sources_differ_even_at_time_zero) {
  UlidSource a, b;
  EXPECT_NE(a.next(UnixMillis()), b.next(UnixMillis()));
}

}  // namespace
}  // namespace kinora::base
