#include "gateway/api_key.hpp"

#include <gtest/gtest.h>

namespace kinora::gateway {
namespace {

std::array<std::uint8_t, kKeyRandomBytes> counting() {
  std::array<std::uint8_t, kKeyRandomBytes> random{};
  for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<std::uint8_t>(i);
  return random;
}

TEST(ApiKey, has_a_public_part_of_12_characters_and_the_digest_of_the_whole) {
  const auto key = make_key(counting());
  EXPECT_EQ(key.text, "gk_live_0123456789abcdefghjkmnpqrstvwxyz0123456789ab");
  EXPECT_EQ(key.public_part, "0123456789ab");
  // printf %s gk_live_0123456789abcdefghjkmnpqrstvwxyz0123456789ab | sha256sum
  EXPECT_EQ(key.sha256, "882e4c9e74e9b8afade5fd4505460bd8de45726537c76a27a31e2fb169891896");
}

TEST(ApiKey, refuses_what_has_not_the_shape) {
  const auto key = make_key(counting()).text;
  EXPECT_TRUE(parse_key(key));
  EXPECT_FALSE(parse_key(""));
  EXPECT_FALSE(parse_key(key + "0"));
  EXPECT_FALSE(parse_key("gk_test_" + key.substr(8)));
  EXPECT_FALSE(parse_key(key.substr(0, key.size() - 1) + "u"));
  EXPECT_FALSE(parse_key(key.substr(0, key.size() - 1) + "'"));
}

// developer-api 5.1: Bearer, Key (fal), Token (old Replicate), X-Api-Key.
TEST(ApiKey, is_taken_from_every_accepted_header) {
  EXPECT_EQ(key_of({{"authorization", "Bearer abc"}}), "abc");
  EXPECT_EQ(key_of({{"authorization", "bearer  abc"}}), "abc");
  EXPECT_EQ(key_of({{"authorization", "Key abc"}}), "abc");
  EXPECT_EQ(key_of({{"authorization", "Token abc"}}), "abc");
  EXPECT_EQ(key_of({{"x-api-key", "abc"}}), "abc");
  EXPECT_EQ(key_of({}), std::nullopt);
}

TEST(ApiKey, another_scheme_is_a_wrong_key_not_an_absent_one) {
  EXPECT_EQ(key_of({{"authorization", "Basic abc"}, {"x-api-key", "abc"}}), "");
  EXPECT_EQ(key_of({{"authorization", "abc"}}), "");
}

TEST(Scopes, a_family_covers_its_members_only) {
  const std::vector<std::string> granted{"media:*", "jobs:read"};
  EXPECT_TRUE(covers(granted, "media:read"));
  EXPECT_TRUE(covers(granted, "media:write"));
  EXPECT_TRUE(covers(granted, "jobs:read"));
  EXPECT_FALSE(covers(granted, "jobs:write"));
  EXPECT_FALSE(covers(granted, "keys:admin"));
  EXPECT_TRUE(covers(granted, "media:*"));
  EXPECT_FALSE(covers(granted, "jobs:*"));
}

TEST(Scopes, all_members_cover_their_family) {
  EXPECT_TRUE(covers(std::vector<std::string>{"media:read", "media:write"}, "media:*"));
  EXPECT_FALSE(covers(std::vector<std::string>{"media:read"}, "media:*"));
  EXPECT_FALSE(covers(std::vector<std::string>{"media:read"}, "nothing:*"));
  const std::vector<std::string> every(all_scopes().begin(), all_scopes().end());
  for (const auto* family : {"jobs:*", "runs:*", "streams:*", "webhooks:*", "keys:*"}) EXPECT_TRUE(covers(every, family)) << family;
}

TEST(Scopes, knows_the_specified_names) {
  for (const std::string scope : {"jobs:read", "jobs:write", "runs:*", "media:*", "streams:*", "models:read", "adapters:write",
                                  "webhooks:*", "billing:read", "keys:admin", "playback:mint"})
    EXPECT_TRUE(is_scope(scope)) << scope;
  for (const std::string scope : {"", "*", ":*", "jobs", "jobs:", "job:read", "JOBS:READ", "jobs:read "})
    EXPECT_FALSE(is_scope(scope)) << scope;
}

}  // namespace
}  // namespace kinora::gateway
