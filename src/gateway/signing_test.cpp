#include "gateway/signing.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace kinora::gateway {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

base::Bytes counting_key() {
  base::Bytes key(32);
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  return key;
}

constexpr std::string_view kPath = "/v1/artifacts/art_01KE0000000000000000000001/content";
const sys_seconds kExpires{seconds{1'767'225'600}};
const base::UnixMillis kBefore{kExpires - seconds{1}};

// The vector of developer-api 5.6.
TEST(UrlSigner, gives_the_specified_signature) {
  const UrlSigner signer(counting_key(), "1");
  EXPECT_EQ(signer.sign("GET", kPath, {kExpires, {}, {}}), "exp=1767225600&kid=1&sig=BK_ksAlxxsurdCo61jHu2InIW_kDWIiOPhVZ3SKZH50");
}

TEST(UrlSigner, accepts_its_own_url_until_it_expires) {
  const UrlSigner signer(counting_key(), "1");
  const auto query = signer.sign("GET", kPath, {kExpires, {}, {}});
  EXPECT_TRUE(signer.verify("GET", kPath, query, kBefore));
  EXPECT_FALSE(signer.verify("GET", kPath, query, kExpires));
}

TEST(UrlSigner, refuses_another_method_path_key_or_kid) {
  const UrlSigner signer(counting_key(), "1");
  const auto query = signer.sign("GET", kPath, {kExpires, {}, {}});
  EXPECT_FALSE(signer.verify("PUT", kPath, query, kBefore));
  EXPECT_FALSE(signer.verify("GET", "/v1/artifacts/art_01KE0000000000000000000002/content", query, kBefore));
  EXPECT_FALSE(UrlSigner(base::Bytes(32), "1").verify("GET", kPath, query, kBefore));
  EXPECT_FALSE(UrlSigner(counting_key(), "2").verify("GET", kPath, query, kBefore));
}

TEST(UrlSigner, signs_disposition_and_address_too) {
  const UrlSigner signer(counting_key(), "1");
  const auto query = signer.sign("GET", kPath, {kExpires, "attachment", "10.0.0.1"});
  const auto what = signer.verify("GET", kPath, query, kBefore);
  ASSERT_TRUE(what);
  EXPECT_EQ(what->disposition, "attachment");
  EXPECT_EQ(what->ip, "10.0.0.1");
  std::string stripped = query;
  stripped.erase(stripped.find("&ip=10.0.0.1"), 12);
  EXPECT_FALSE(signer.verify("GET", kPath, stripped, kBefore));
}

TEST(UrlSigner, refuses_malformed_queries) {
  const UrlSigner signer(counting_key(), "1");
  const std::string sig = "&sig=BK_ksAlxxsurdCo61jHu2InIW_kDWIiOPhVZ3SKZH50";
  const std::vector<std::string> bad{std::string(),
                                     std::string("sig=x"),
                                     "exp=&kid=1" + sig,
                                     "exp=-1&kid=1" + sig,
                                     "kid=1&exp=1767225600" + sig,
                                     "exp=1767225600&kid=1&kid=1" + sig,
                                     "exp=1767225600&kid=1&x=1" + sig,
                                     "exp=01767225600&kid=1" + sig,
                                     "exp=99999999999999999999&kid=1" + sig,
                                     "exp=1767225600&&kid=1" + sig,
                                     std::string("&sig="),
                                     "exp=1767225600&kid=1&ip=%31" + sig,
                                     "exp=1767225600&kid=1" + sig + "=",
                                     "exp=1767225600&kid=1&sig=",
                                     std::string(kMaxSignedQueryBytes, 'e') + sig};
  for (const auto& query : bad) EXPECT_FALSE(signer.verify("GET", kPath, query, kBefore)) << query;
}

TEST(UrlSigner, path_form_covers_every_name_below_the_prefix_only) {
  const UrlSigner signer(counting_key(), "1");
  const std::string prefix = "/v1/artifacts/art_01KE0000000000000000000001/files/";
  const auto token = signer.sign_prefix(prefix, kExpires);
  EXPECT_TRUE(signer.verify_prefix(prefix, token, kBefore));
  EXPECT_FALSE(signer.verify_prefix(prefix, token, kExpires));
  EXPECT_FALSE(signer.verify_prefix("/v1/artifacts/art_01KE0000000000000000000002/files/", token, kBefore));
  for (const std::string_view bad : {"", ".", "..", "1.1.x", "x.1.y"}) EXPECT_FALSE(signer.verify_prefix(prefix, bad, kBefore)) << bad;
}

TEST(AttemptToken, is_of_one_attempt_and_a_time) {
  const auto key = counting_key();
  const auto token = attempt_token(key, "att_01KE0000000000000000000001", kExpires);
  EXPECT_TRUE(verify_attempt_token(key, "att_01KE0000000000000000000001", token, kBefore));
  EXPECT_FALSE(verify_attempt_token(key, "att_01KE0000000000000000000002", token, kBefore));
  EXPECT_FALSE(verify_attempt_token(key, "att_01KE0000000000000000000001", token, kExpires));
  EXPECT_FALSE(verify_attempt_token(key, "att_01KE0000000000000000000001", "1767225601" + token.substr(10), kBefore));
  EXPECT_FALSE(verify_attempt_token(key, "att_01KE0000000000000000000001", "", kBefore));
}

TEST(DeriveKey, gives_independent_keys_by_purpose) {
  const auto key = counting_key();
  EXPECT_NE(derive_key(key, "url"), derive_key(key, "cursor"));
  EXPECT_EQ(derive_key(key, "url").size(), 32u);
}

}  // namespace
}  // namespace kinora::gateway
