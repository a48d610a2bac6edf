#include "gateway/webhook_signature.hpp"

#include <openssl/evp.h>

#include <memory>

#include "base/check.hpp"
#include "gateway/signing.hpp"

namespace kinora::gateway {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kEd25519Bytes = 32;
constexpr std::size_t kEd25519SignatureBytes = 64;

std::string signed_text(const WebhookMessage& message) {
  return std::string(message.id) + "." + std::to_string(message.timestamp) + "." + std::string(message.body);
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Key private_key(const base::Bytes& seed) { return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size())); }

}  // namespace

std::string webhook_secret_text(base::ByteView key) { return std::string(kSecretPrefix) + base::to_base64(key); }

base::Result<base::Bytes> parse_webhook_secret(std::string_view text) {
  if (!text.starts_with(kSecretPrefix)) return base::fail(base::ErrorCode::invalid, "a webhook secret begins with whsec_");
  return base::from_base64(text.substr(kSecretPrefix.size()));
}

std::string sign_v1(base::ByteView key, const WebhookMessage& message) {
  return "v1," + base::to_base64(base::hmac_sha256(key, base::as_bytes(signed_text(message))));
}

WebhookKeys::WebhookKeys(base::ByteView gateway_secret)
    : root_(derive_key(gateway_secret, "webhook")), seed_(derive_key(gateway_secret, "webhook-ed25519")), public_(kEd25519Bytes) {
  const Key key = private_key(seed_);
  std::size_t size = public_.size();
  KINORA_CHECK(key && EVP_PKEY_get_raw_public_key(key.get(), public_.data(), &size) == 1);
}

base::Bytes WebhookKeys::secret(std::string_view owner, std::int64_t generation) const {
  return derive_key(root_, std::string(owner) + "." + std::to_string(generation));
}

std::string WebhookKeys::sign_v1a(const WebhookMessage& message) const {
  const std::string text = signed_text(message);
  const Key key = private_key(seed_);
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  base::Bytes signature(kEd25519SignatureBytes);
  std::size_t size = signature.size();
  const base::ByteView bytes = base::as_bytes(text);
  const bool ready = EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1;
  KINORA_CHECK(ready && EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) == 1);
  return "v1a," + base::to_base64(signature);
}

std::string WebhookKeys::public_key_text() const { return "whpk_" + base::to_base64(public_); }

json::object WebhookKeys::jwks() const {
  const std::string x = base::to_base64url(public_);
  // RFC 7638: the thumbprint names the key.
  const std::string thumbprint = base::to_base64url(base::sha256(base::as_bytes(R"({"crv":"Ed25519","kty":"OKP","x":")" + x + R"("})")));
  return {{"keys",
           json::array{json::object{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", x}, {"use", "sig"}, {"alg", "EdDSA"}, {"kid", thumbprint}}}}};
}

}  // namespace kinora::gateway
