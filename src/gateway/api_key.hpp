#pragma once
// API keys (developer-api 5.10): `gk_live_` + 12 public characters + 32 secret ones (160 bits, Crockford base32). Only the SHA-256 of the
// whole text is stored, found by the public part. Pure: randomness is handed in.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "net/http.hpp"

namespace kinora::gateway {

inline constexpr std::size_t kKeyPublicChars = 12;
inline constexpr std::size_t kKeySecretChars = 32;
inline constexpr std::size_t kKeyRandomBytes = kKeyPublicChars + kKeySecretChars;  // one byte a character, 5 bits used
inline constexpr std::string_view kKeyPrefix = "gk_live_";

struct ApiKeyText {
  std::string text;         // shown once
  std::string public_part;  // 12 characters
  std::string sha256;       // of text
};
ApiKeyText make_key(const std::array<std::uint8_t, kKeyRandomBytes>& random);
// nullopt: not the shape of a key.
std::optional<ApiKeyText> parse_key(std::string_view text);

// The key that a request carries: Authorization: Bearer | Key | Token <key>, or X-Api-Key. nullopt: none.
std::optional<std::string> key_of(const net::Headers& headers);

// Who asks: what the key allows.
struct Caller {
  std::string key_id;  // key_<ULID>; empty: nobody (a route without key, or a signed URL)
  std::string project;
  std::vector<std::string> scopes;
  std::vector<std::string> models;  // empty: all
  std::vector<std::string> tasks;   // empty: all
};

// Every scope that a key may hold; `family:*` stands for all of a family.
std::span<const std::string_view> all_scopes();
bool is_scope(std::string_view text);
bool covers(std::span<const std::string> granted, std::string_view needed);

}  // namespace kinora::gateway
