#pragma once
// Signatures of Standard Webhooks 1.0.0 (developer-api 3.7, 5.8) over "<id>.<timestamp>.<body>": v1 is HMAC-SHA256 with a shared secret,
// v1a is Ed25519, whose public key stands at /.well-known/webhook-keys.json. Pure.
//
// No secret is stored: each is made from the gateway's one secret, its owner and a generation, which a rotation counts up.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace kinora::gateway {

namespace json = base::json;

struct WebhookMessage {
  std::string_view id;         // evt_..., the same for every try
  std::int64_t timestamp = 0;  // Unix seconds of this try
  std::string_view body;
};

// "whsec_" + base64 of the key.
std::string webhook_secret_text(base::ByteView key);
// The key behind such a text. Errors: invalid.
base::Result<base::Bytes> parse_webhook_secret(std::string_view text);
// "v1,<base64>"
std::string sign_v1(base::ByteView key, const WebhookMessage& message);

class WebhookKeys {
 public:
  explicit WebhookKeys(base::ByteView gateway_secret);
  // 32 bytes. `owner`: whk_..., or a project for webhooks that come with a job.
  base::Bytes secret(std::string_view owner, std::int64_t generation) const;
  // "v1a,<base64>"
  std::string sign_v1a(const WebhookMessage& message) const;
  std::string public_key_text() const;  // "whpk_" + base64
  json::object jwks() const;            // RFC 7517, RFC 8037

 private:
  base::Bytes root_;
  base::Bytes seed_, public_;  // Ed25519, 32 bytes each
};

}  // namespace kinora::gateway
