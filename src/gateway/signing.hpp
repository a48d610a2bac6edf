#pragma once
// Signatures that stand in for an API key: signed URLs (developer-api 5.6) and the token of one attempt.
//
// String to sign: METHOD "\n" path "\n" "exp=<unix s>&kid=<id>[&disposition=..][&ip=..]", sig = base64url(HMAC-SHA256).
// The path form puts the same three values into the path, so that a player that follows relative names of a playlist
// stays signed: `<prefix>exp.kid.sig/<name>`, where the signed path is the artifact's `.../files/`.
// Pure: time is handed in. Errors: forbidden (wrong, malformed or out of time); the message never shows the right value.
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ulid.hpp"

namespace kinora::gateway {

inline constexpr std::chrono::seconds kMaxSignedUrlLife{604'800};  // 7 days
inline constexpr std::size_t kMaxSignedQueryBytes = 1024;

struct SignedQuery {
  std::chrono::sys_seconds expires;
  std::string disposition;  // "", "inline" or "attachment"
  std::string ip;           // when not empty: only this peer
};

class UrlSigner {
 public:
  // `key`: 32 secret bytes; `kid` names it (digits and letters).
  UrlSigner(base::Bytes key, std::string kid);

  // "exp=..&kid=..&sig=.." for method and path.
  std::string sign(std::string_view method, std::string_view path, const SignedQuery& what) const;
  // `query` as it came, without '?'.
  base::Result<SignedQuery> verify(std::string_view method, std::string_view path, std::string_view query, base::UnixMillis now) const;

  // "exp.kid.sig" of the path form.
  std::string sign_prefix(std::string_view path, std::chrono::sys_seconds expires) const;
  base::Status verify_prefix(std::string_view path, std::string_view token, base::UnixMillis now) const;

 private:
  std::string signature(std::string_view method, std::string_view path, std::string_view parameters) const;
  base::Bytes key_;
  std::string kid_;
};

// The token with which a worker puts the files of one attempt: "<exp>.<sig>", bound to the attempt's id.
std::string attempt_token(base::ByteView key, std::string_view attempt, std::chrono::sys_seconds expires);
base::Status verify_attempt_token(base::ByteView key, std::string_view attempt, std::string_view token, base::UnixMillis now);

// A key for one purpose from the gateway's one secret: HMAC-SHA256(secret, purpose).
base::Bytes derive_key(base::ByteView secret, std::string_view purpose);

}  // namespace kinora::gateway
