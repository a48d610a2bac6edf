#pragma once
// Repeats by SDKs that send no idempotency key but count their tries in a header (developer-api 5.4.3). A request of count 0 is always
// new; one of a higher count finds the job that an earlier try of the same key and body has made in the last ten minutes and that no
// repeat of this count has found yet. So a user who clicks twice gets two jobs, and each click's repeats find their own.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/ulid.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

inline constexpr std::chrono::minutes kSdkRetryWindow{10};
inline constexpr int kMaxSdkRetryCount = 62;

struct SdkTry {
  std::string key;  // id of the API key
  std::string fingerprint;
  int count = 0;  // 0..kMaxSdkRetryCount
};
// The header's value: a whole number; nullopt for anything else, and for more than kMaxSdkRetryCount.
std::optional<int> parse_sdk_retry_count(std::string_view header);

// Inside a write. The job that this repeat is about, now taken by it; nullopt: it is a new request.
base::Result<std::optional<std::string>> find_sdk_try(store::Connection& connection, const SdkTry& made, base::UnixMillis now);
base::Status remember_sdk_try(store::Connection& connection, const SdkTry& made, std::string_view job, base::UnixMillis now);
base::Status forget_sdk_tries(store::Connection& connection, base::UnixMillis now);

}  // namespace kinora::jobs
