#include "wire/auth_token.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace kinora::wire {
namespace {

AuthTokens tokens() {
  AuthTokens::Key key;
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  return AuthTokens(key);
}

base::UnixMillis at(std::int64_t unix_s) { return base::UnixMillis(std::chrono::seconds(unix_s)); }

// Known answer of the protocol notes, section 11.2.
TEST(AuthTokens, have_the_known_value) {
  const auto token = tokens().issue("f1405ced", 1700000000);
  EXPECT_EQ(base::to_hex(base::as_bytes(token.token())), "d3f400be67f7a713a37b0e77894867669282c317283c3f258ea528e52011804d");
  EXPECT_EQ(token.session_id(), "f1405ced");
  EXPECT_EQ(token.expiration(), 1700000000);
}

TEST(AuthTokens, are_valid_until_they_expire) {
  const auto token = tokens().issue("f1405ced", 1700000000);
  EXPECT_TRUE(tokens().verify_at(token, at(1699999999)));
  EXPECT_EQ(tokens().verify_at(token, at(1700000000)).error().message, "expired auth token");
  EXPECT_TRUE(tokens().verify(token));
}

TEST(AuthTokens, refuse_changed_expiration_session_and_key) {
  auto token = tokens().issue("f1405ced", 1700000000);
  token.set_expiration(1700000001);
  EXPECT_EQ(tokens().verify(token).error().message, "invalid auth token");
  token.set_expiration(-1);
  EXPECT_FALSE(tokens().verify(token));
  auto other = tokens().issue("f1405ced", 1700000000);
  other.set_session_id("f1405cee");
  EXPECT_FALSE(tokens().verify(other));
  EXPECT_FALSE(AuthTokens(AuthTokens::Key{}).verify(tokens().issue("f1405ced", 1700000000)));
}

TEST(AuthTokens, say_when_the_token_is_missing) { EXPECT_EQ(tokens().verify({}).error().message, "missing auth token"); }

TEST(AuthTokenRenewal, is_due_in_the_last_tenth) {
  EXPECT_FALSE(needs_renewal(10'000, std::chrono::seconds(1800), at(9'819)));
  EXPECT_TRUE(needs_renewal(10'000, std::chrono::seconds(1800), at(9'820)));
  EXPECT_TRUE(needs_renewal(10'000, std::chrono::seconds(1800), at(20'000)));
}

}  // namespace
}  // namespace kinora::wire
