#pragma once
// Session tokens of an orchestrator: token = HMAC-SHA256(key, session id ‖ expiration as minimal big-endian bytes).
// Opaque to gateways; they die with the process that made the key. Pure: key and time are handed in.
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ulid.hpp"
#include "wire/messages.hpp"

namespace kinora::wire {

inline constexpr std::size_t kSessionIdBytes = 8;  // hex characters

class AuthTokens {
 public:
  using Key = std::array<std::uint8_t, 32>;
  explicit AuthTokens(const Key& key) : key_(key) {}

  pb::AuthToken issue(std::string session_id, std::int64_t expiration_unix_s) const;
  // unauthenticated: "missing auth token" (nothing in it), "invalid auth token".
  base::Status verify(const pb::AuthToken& token) const;
  // The same, and "expired auth token".
  base::Status verify_at(const pb::AuthToken& token, base::UnixMillis now) const;

 private:
  base::Digest sign(std::string_view session_id, std::int64_t expiration) const;
  Key key_;
};

// When a gateway renews a token that lasts `lifetime`: in its last tenth.
bool needs_renewal(std::int64_t expiration_unix_s, std::chrono::seconds lifetime, base::UnixMillis now);

}  // namespace kinora::wire
