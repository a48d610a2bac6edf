#include "gateway/signing.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

namespace kinora::gateway {
namespace {

using base::ErrorCode;

std::optional<std::chrono::sys_seconds> parse_expiry(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || text.size() > 12) return std::nullopt;
  return std::chrono::sys_seconds{std::chrono::seconds{value}};
}

bool address_letters(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
}

std::string parameters_of(std::string_view kid, const SignedQuery& what) {
  std::string text = fmt::format("exp={}&kid={}", what.expires.time_since_epoch().count(), kid);
  if (!what.disposition.empty()) text += "&disposition=" + what.disposition;
  if (!what.ip.empty()) text += "&ip=" + what.ip;
  return text;
}

bool same(std::string_view a, std::string_view b) { return base::equal_secret(base::as_bytes(a), base::as_bytes(b)); }

}  // namespace

UrlSigner::UrlSigner(base::Bytes key, std::string kid) : key_(std::move(key)), kid_(std::move(kid)) {}

std::string UrlSigner::signature(std::string_view method, std::string_view path, std::string_view parameters) const {
  const std::string message = fmt::format("{}\n{}\n{}", method, path, parameters);
  return base::to_base64url(base::hmac_sha256(key_, base::as_bytes(message)));
}

std::string UrlSigner::sign(std::string_view method, std::string_view path, const SignedQuery& what) const {
  const std::string parameters = parameters_of(kid_, what);
  return parameters + "&sig=" + signature(method, path, parameters);
}

base::Result<SignedQuery> UrlSigner::verify(std::string_view method, std::string_view path, std::string_view query,
                                            base::UnixMillis now) const {
  const auto refuse = [](std::string text) { return base::fail(ErrorCode::forbidden, std::move(text)); };
  if (query.size() > kMaxSignedQueryBytes) return refuse("signed query is too long");
  const auto cut = query.rfind("&sig=");
  if (cut == std::string_view::npos) return refuse("not a signed URL");
  SignedQuery what;
  bool has_expiry = false;
  for (std::string_view rest = query.substr(0, cut); !rest.empty();) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto item = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = std::min(item.find('='), item.size() - 1);
    const auto name = item.substr(0, equals);
    const auto value = item.substr(equals + 1);
    if (name == "exp") {
      const auto expires = parse_expiry(value);
      if (!expires) return refuse("signed URL has a malformed time");
      what.expires = *expires;
      has_expiry = true;
    } else if (name == "disposition" && (value == "inline" || value == "attachment")) {
      what.disposition = value;
    } else if (name == "ip" && address_letters(value)) {
      what.ip = value;
    } else if (name != "kid" || value != kid_) {
      return refuse("signed URL is malformed or made with an unknown key");
    }
  }
  // One spelling only: what was read is written again and compared, so no reordered or repeated member can pass.
  if (!has_expiry || parameters_of(kid_, what) != query.substr(0, cut)) return refuse("signed URL is malformed");
  if (!same(query.substr(cut + 5), signature(method, path, query.substr(0, cut)))) return refuse("signature does not match");
  if (what.expires <= now) return refuse("signed URL has expired");
  return what;
}

std::string UrlSigner::sign_prefix(std::string_view path, std::chrono::sys_seconds expires) const {
  return fmt::format("{}.{}.{}", expires.time_since_epoch().count(), kid_, signature("GET", path, parameters_of(kid_, {expires, {}, {}})));
}

base::Status UrlSigner::verify_prefix(std::string_view path, std::string_view token, base::UnixMillis now) const {
  const auto refuse = [](std::string text) { return base::fail(ErrorCode::forbidden, std::move(text)); };
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (token.size() > kMaxSignedQueryBytes || second == std::string_view::npos) return refuse("signed path is malformed");
  const auto expires = parse_expiry(token.substr(0, first));
  if (!expires || token.substr(first + 1, second - first - 1) != kid_)
    return refuse("signed path is malformed or made with an unknown key");
  if (!same(token, sign_prefix(path, *expires))) return refuse("signature does not match");
  if (*expires <= now) return refuse("signed path has expired");
  return {};
}

std::string attempt_token(base::ByteView key, std::string_view attempt, std::chrono::sys_seconds expires) {
  const auto seconds = expires.time_since_epoch().count();
  const std::string message = fmt::format("attempt\n{}\n{}", attempt, seconds);
  return fmt::format("{}.{}", seconds, base::to_base64url(base::hmac_sha256(key, base::as_bytes(message))));
}

base::Status verify_attempt_token(base::ByteView key, std::string_view attempt, std::string_view token, base::UnixMillis now) {
  const auto expires = parse_expiry(token.substr(0, std::min(token.find('.'), token.size())));
  if (!expires || !same(token, attempt_token(key, attempt, *expires)))
    return base::fail(ErrorCode::forbidden, "the token is not of this attempt");
  if (*expires <= now) return base::fail(ErrorCode::forbidden, "the token of this attempt has expired");
  return {};
}

base::Bytes derive_key(base::ByteView secret, std::string_view purpose) {
  const auto digest = base::hmac_sha256(secret, base::as_bytes(purpose));
  return {digest.begin(), digest.end()};
}

}  // namespace kinora::gateway
