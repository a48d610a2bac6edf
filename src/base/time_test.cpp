#include "base/time.hpp"

#include <gtest/gtest.h>

namespace kinora::base {
namespace {

using std::chrono::milliseconds;

TEST(Rfc3339, writes_utc_with_milliseconds) {
  EXPECT_EQ(to_rfc3339(UnixMillis(milliseconds(1767225600000))), "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(UnixMillis(milliseconds(1767225600007))), "2026-01-01T00:00:00.007Z");
}
// RFC 3339 section 5.8.
TEST(Rfc3339, reads_the_examples_of_the_standard) {
  EXPECT_EQ(to_rfc3339(from_rfc3339("1985-04-12T23:20:50.52Z").value()), "1985-04-12T23:20:50.520Z");
  EXPECT_EQ(to_rfc3339(from_rfc3339("1996-12-19T16:39:57-08:00").value()), "1996-12-20T00:39:57.000Z");
  EXPECT_EQ(to_rfc3339(from_rfc3339("1990-12-31T23:59:60Z").value()), "1991-01-01T00:00:00.000Z");
}
TEST(Rfc3339, refuses_what_is_no_time) {
  for (const char* text : {"", "2026-01-01", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
                           "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00Zx", "0001-01-01T00:00:00Z"})
    EXPECT_FALSE(from_rfc3339(text)) << text;
}

}  // namespace
}  // namespace kinora::base
