#include "wire/auth_token.hpp"

#include <algorithm>

namespace kinora::wire {

base::Digest AuthTokens::sign(std::string_view session_id, std::int64_t expiration) const {
  std::string message(session_id);
  std::string minimal;
  for (auto rest = static_cast<std::uint64_t>(expiration); rest != 0; rest >>= 8) minimal.push_back(static_cast<char>(rest & 0xff));
  message.append(minimal.rbegin(), minimal.rend());
  return base::hmac_sha256(key_, base::as_bytes(message));
}

pb::AuthToken AuthTokens::issue(std::string session_id, std::int64_t expiration_unix_s) const {
  pb::AuthToken token;
  const auto digest = sign(session_id, expiration_unix_s);
  token.set_token(digest.data(), digest.size());
  token.set_session_id(std::move(session_id));
  token.set_expiration(expiration_unix_s);
  return token;
}

base::Status AuthTokens::verify(const pb::AuthToken& token) const {
  if (token.token().empty() && token.session_id().empty()) return base::fail(base::ErrorCode::unauthenticated, "missing auth token");
  if (token.expiration() < 0) return base::fail(base::ErrorCode::unauthenticated, "invalid auth token");
  const auto digest = sign(token.session_id(), token.expiration());
  if (!base::equal_secret(digest, base::as_bytes(token.token()))) {
    return base::fail(base::ErrorCode::unauthenticated, "invalid auth token");
  }
  return {};
}

base::Status AuthTokens::verify_at(const pb::AuthToken& token, base::UnixMillis now) const {
  KINORA_OK(verify(token));
  if (token.expiration() <= std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count()) {
    return base::fail(base::ErrorCode::unauthenticated, "expired auth token");
  }
  return {};
}

bool needs_renewal(std::int64_t expiration_unix_s, std::chrono::seconds lifetime, base::UnixMillis now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return expiration_unix_s - seconds <= lifetime.count() / 10;
}

}  // namespace kinora::wire
