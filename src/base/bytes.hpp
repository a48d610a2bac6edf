#pragma once
// Text forms of bytes: hex and base64 (RFC 4648), and SHA-256 / HMAC-SHA-256 over OpenSSL.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kinora::base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;

ByteView as_bytes(std::string_view text);
std::string_view as_text(ByteView bytes);

// Lower-case hex without prefix. from_hex takes upper and lower case and an optional 0x.
std::string to_hex(ByteView bytes);
Result<Bytes> from_hex(std::string_view text);

// Base64: standard alphabet with padding; the url form has '-', '_' and no padding. Decoders are strict: wrong
// alphabet, wrong padding or non-zero trailing bits -> invalid.
std::string to_base64(ByteView bytes);
std::string to_base64url(ByteView bytes);
Result<Bytes> from_base64(std::string_view text);
Result<Bytes> from_base64url(std::string_view text);

Digest sha256(ByteView bytes);
Digest hmac_sha256(ByteView key, ByteView message);
// Compares in constant time.
bool equal_secret(ByteView a, ByteView b);

// SHA-256 over a stream.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView bytes);
  Digest finish();  // once

 private:
  void* context_;
};

}  // namespace kinora::base
