#pragma once
// ULIDs (github.com/ulid/spec): 48 bits of Unix milliseconds, 80 random bits, as 26 characters of Crockford base32.
// They sort by time of creation. Time and randomness are handed in.
#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace kinora::base {

using UnixMillis = std::chrono::sys_time<std::chrono::milliseconds>;

std::string encode_ulid(UnixMillis time, const std::array<std::uint8_t, 10>& random);
bool is_ulid(std::string_view text);
// True when text is `<prefix>_<ULID>`, e.g. is_id("job", "job_01KE...").
bool is_id(std::string_view prefix, std::string_view text);

// Strictly increasing ULIDs within one process (the spec's monotonic rule: same millisecond -> random part + 1).
// Thread-safe. Randomness comes from the operating system.
class UlidSource {
 public:
  std::string next(UnixMillis now);
  // `<prefix>_<ULID>`
  std::string next_id(std::string_view prefix, UnixMillis now);

 private:
  std::mutex mutex_;
  UnixMillis last_ = UnixMillis::min();  // so that the first always draws random bits
  std::array<std::uint8_t, 10> random_{};
};

}  // namespace kinora::base
