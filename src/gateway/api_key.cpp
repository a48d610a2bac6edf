#include "gateway/api_key.hpp"

#include <algorithm>

namespace kinora::gateway {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's, no i, l, o, u
constexpr std::string_view kScopes[] = {"jobs:read",     "jobs:write",     "runs:read",     "runs:write",  "media:read",
                                        "media:write",   "streams:read",   "streams:write", "models:read", "adapters:write",
                                        "webhooks:read", "webhooks:write", "billing:read",  "keys:admin",  "playback:mint"};

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

}  // namespace

ApiKeyText make_key(const std::array<std::uint8_t, kKeyRandomBytes>& random) {
  std::string text(kKeyPrefix);
  for (const auto byte : random) text += kAlphabet[byte % kAlphabet.size()];
  return *parse_key(text);
}

std::optional<ApiKeyText> parse_key(std::string_view text) {
  if (text.size() != kKeyPrefix.size() + kKeyRandomBytes || !text.starts_with(kKeyPrefix)) return std::nullopt;
  const auto random = text.substr(kKeyPrefix.size());
  if (random.find_first_not_of(kAlphabet) != std::string_view::npos) return std::nullopt;
  return ApiKeyText{std::string(text), std::string(random.substr(0, kKeyPublicChars)), base::to_hex(base::sha256(base::as_bytes(text)))};
}

std::optional<std::string> key_of(const net::Headers& headers) {
  if (const auto value = headers.get("authorization")) {
    const auto space = value->find(' ');
    if (space == std::string_view::npos) return std::string();
    const auto scheme = value->substr(0, space);
    auto key = value->substr(space + 1);
    while (key.starts_with(' ')) key.remove_prefix(1);
    if (same_word(scheme, "bearer") || same_word(scheme, "key") || same_word(scheme, "token")) return std::string(key);
    return std::string();
  }
  if (const auto value = headers.get("x-api-key")) return std::string(*value);
  return std::nullopt;
}

std::span<const std::string_view> all_scopes() { return kScopes; }

bool is_scope(std::string_view text) {
  if (text.ends_with(":*"))
    return std::ranges::any_of(kScopes, [&](std::string_view scope) { return scope.starts_with(text.substr(0, text.size() - 1)); });
  return std::ranges::find(kScopes, text) != std::end(kScopes);
}

bool covers(std::span<const std::string> granted, std::string_view needed) {
  const auto family_of = [](std::string_view scope) { return scope.substr(0, scope.size() - 1); };
  if (std::ranges::any_of(granted, [&](const std::string& scope) {
        return scope == needed || (scope.ends_with(":*") && needed.starts_with(family_of(scope)));
      }))
    return true;
  // A family is covered by all of its members.
  return needed.ends_with(":*") && is_scope(needed) && std::ranges::all_of(kScopes, [&](std::string_view scope) {
           return !scope.starts_with(family_of(needed)) || std::ranges::find(granted, scope) != granted.end();
         });
}

}  // namespace kinora::gateway
