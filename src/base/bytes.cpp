#include "base/bytes.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <utility>

#include "base/check.hpp"

namespace kinora::base {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode64(ByteView bytes, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = std::uint32_t{bytes[i]} << 16;
    if (n > 1) group |= std::uint32_t{bytes[i + 1]} << 8;
    if (n > 2) group |= bytes[i + 2];
    for (std::size_t k = 0; k <= n; ++k) out += alphabet[(group >> (18 - 6 * k)) & 63];
    if (pad) out.append(3 - n, '=');
  }
  return out;
}

Result<Bytes> decode64(std::string_view text, std::string_view alphabet, bool pad) {
  if (pad) {
    if (text.size() % 4 != 0) return fail(ErrorCode::invalid, "base64 text has a length that is no multiple of 4");
    if (text.ends_with("=="))
      text.remove_suffix(2);
    else if (text.ends_with('='))
      text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return fail(ErrorCode::invalid, "base64 text is cut off");
  constexpr std::uint8_t kNone = 64;
  std::array<std::uint8_t, 256> value{};
  value.fill(kNone);
  for (std::size_t i = 0; i < 64; ++i) value[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const std::uint8_t v = value[static_cast<std::uint8_t>(c)];
    if (v == kNone) return fail(ErrorCode::invalid, "base64 text holds a character outside its alphabet");
    group = (group << 6 | v) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<std::uint8_t>(group >> bits));
    }
  }
  if ((group & ((1u << bits) - 1)) != 0) return fail(ErrorCode::invalid, "base64 text has non-zero trailing bits");
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ByteView as_bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string to_hex(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  if (text.size() % 2 != 0) return fail(ErrorCode::invalid, "hex text has an odd number of digits");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return fail(ErrorCode::invalid, "hex text holds a character that is no hex digit");
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return out;
}

std::string to_base64(ByteView bytes) { return encode64(bytes, kStandard, true); }
std::string to_base64url(ByteView bytes) { return encode64(bytes, kUrl, false); }
Result<Bytes> from_base64(std::string_view text) { return decode64(text, kStandard, true); }
Result<Bytes> from_base64url(std::string_view text) { return decode64(text, kUrl, false); }

Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Digest hmac_sha256(ByteView key, ByteView message) {
  Digest out;
  unsigned int length = out.size();
  KINORA_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), out.data(), &length));
  return out;
}

bool equal_secret(ByteView a, ByteView b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  KINORA_CHECK(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}
void Sha256::update(ByteView bytes) { KINORA_CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1); }
Digest Sha256::finish() {
  Digest out;
  KINORA_CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out.data(), nullptr) == 1);
  return out;
}

}  // namespace kinora::base
