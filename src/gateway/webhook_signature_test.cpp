#include "gateway/webhook_signature.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace kinora::gateway {
namespace {

base::Bytes key_of(std::string_view text) { return parse_webhook_secret(text).value(); }

// The vector of Standard Webhooks 1.0.0.
TEST(WebhookSignature, is_that_of_the_standard) {
  const base::Bytes key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(sign_v1(key, {"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"}),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

// The vector of developer-api 5.8: our envelope in 297 bytes.
TEST(WebhookSignature, of_our_envelope_is_the_specified_one) {
  constexpr std::string_view body =
      R"({"specversion":"1.0","id":"evt_01KE0000000000000000000001","source":"/v1/projects/proj_1","type":"job.succeeded","subject":"job_01KE0000000000000000000001","time":"2026-01-01T00:00:00Z","timestamp":"2026-01-01T00:00:00Z","seq":5,"data":{"id":"job_01KE0000000000000000000001","status":"succeeded"}})";
  ASSERT_EQ(body.size(), 297u);
  const base::Bytes key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(sign_v1(key, {"evt_01KE0000000000000000000001", 1767225600, body}), "v1,bilowN6z50w1OfjJ5Les424NC0bduKtgL/S3aS/p4O8=");
}

TEST(WebhookSignature, secret_is_written_as_the_standard_says) {
  const WebhookKeys keys(base::Bytes(32, 7));
  const std::string text = webhook_secret_text(keys.secret("whk_1", 1));
  EXPECT_TRUE(text.starts_with("whsec_"));
  EXPECT_EQ(key_of(text).size(), 32u);  // 24 to 64 bytes
  EXPECT_FALSE(parse_webhook_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(parse_webhook_secret("whsec_not base64"));
}

TEST(WebhookSignature, secrets_differ_by_owner_generation_and_gateway) {
  const WebhookKeys keys(base::Bytes(32, 7)), other(base::Bytes(32, 8));
  const auto first = keys.secret("whk_1", 1);
  EXPECT_EQ(first, WebhookKeys(base::Bytes(32, 7)).secret("whk_1", 1)) << "the same after a restart";
  EXPECT_NE(first, keys.secret("whk_1", 2));
  EXPECT_NE(first, keys.secret("whk_2", 1));
  EXPECT_NE(first, other.secret("whk_1", 1));
}

TEST(WebhookSignature, ed25519_verifies_with_the_published_key_only) {
  const WebhookKeys keys(base::Bytes(32, 7));
  const WebhookMessage message{"evt_1", 1767225600, "{}"};
  const std::string text = keys.sign_v1a(message);
  ASSERT_TRUE(text.starts_with("v1a,"));
  const auto signature = base::from_base64(text.substr(4)).value();
  const json::object jwks = keys.jwks();
  const json::object& jwk = jwks.at("keys").as_array().at(0).as_object();
  EXPECT_EQ(jwk.at("kty"), "OKP");
  EXPECT_EQ(jwk.at("crv"), "Ed25519");
  auto published = base::from_base64url(std::string(jwk.at("x").as_string())).value();
  const auto verifies = [&](const base::Bytes& key, std::string_view signed_text) {
    EVP_PKEY* const pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size());
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    const auto bytes = base::as_bytes(signed_text);
    const bool good = EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, pkey) == 1 &&
                      EVP_DigestVerify(context, signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    return good;
  };
  EXPECT_TRUE(verifies(published, "evt_1.1767225600.{}"));
  EXPECT_FALSE(verifies(published, "evt_1.1767225601.{}"));
  EXPECT_EQ(keys.public_key_text(), "whpk_" + base::to_base64(published));
  EXPECT_FALSE(
      verifies(base::from_base64url(std::string(WebhookKeys(base::Bytes(32, 8)).jwks().at("keys").at(0).at("x").as_string())).value(),
               "evt_1.1767225600.{}"));
}

}  // namespace
}  // namespace kinora::gateway
