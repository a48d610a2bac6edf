#include "base/ulid.hpp"

#include <openssl/rand.h>

#include "base/check.hpp"

namespace kinora::base {
namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Adds one; false when it wrapped around.
bool increment(std::array<std::uint8_t, 10>& number) {
  for (std::size_t i = number.size(); i-- > 0;)
    if (++number[i] != 0) return true;
  return false;
}

}  // namespace

std::string encode_ulid(UnixMillis time, const std::array<std::uint8_t, 10>& random) {
  std::string out(26, '0');
  auto millis = static_cast<std::uint64_t>(time.time_since_epoch().count());
  for (int i = 9; i >= 0; --i, millis >>= 5) out[static_cast<std::size_t>(i)] = kCrockford[millis & 31];
  // 80 bits are exactly 16 groups of 5.
  std::uint32_t buffer = 0;
  int bits = 0;
  std::size_t at = 10;
  for (const std::uint8_t byte : random) {
    buffer = buffer << 8 | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out[at++] = kCrockford[(buffer >> bits) & 31];
    }
  }
  return out;
}

bool is_ulid(std::string_view text) {
  // The first character holds 3 bits only.
  return text.size() == 26 && text[0] <= '7' && text.find_first_not_of(kCrockford) == std::string_view::npos;
}

bool is_id(std::string_view prefix, std::string_view text) {
  return text.size() == prefix.size() + 27 && text.starts_with(prefix) && text[prefix.size()] == '_' &&
         is_ulid(text.substr(prefix.size() + 1));
}

std::string UlidSource::next(UnixMillis now) {
  const std::lock_guard lock(mutex_);
  if (now > last_) {
    last_ = now;
    KINORA_CHECK(RAND_bytes(random_.data(), static_cast<int>(random_.size())) == 1);
  } else if (!increment(random_)) {
    last_ += std::chrono::milliseconds(1);
  }
  return encode_ulid(last_, random_);
}

std::string UlidSource::next_id(std::string_view prefix, UnixMillis now) { return std::string(prefix) + "_" + next(now); }

}  // namespace kinora::base
