#pragma once
// When a webhook is tried again, and what an answer means (developer-api 5.8, Standard Webhooks 1.0.0). Pure: randomness is handed in.
#include <chrono>
#include <optional>
#include <string_view>

#include "base/ulid.hpp"

namespace kinora::gateway {

inline constexpr std::chrono::seconds kWebhookTimeout{15};
inline constexpr int kWebhookTries = 10;
inline constexpr std::chrono::hours kWebhookGivesUpAfter{24 * 5};  // of nothing but failures: the endpoint is disabled
inline constexpr std::chrono::minutes kWebhookSkipsAfter{1};       // of failures: only the last event of a subject still counts
inline constexpr std::chrono::hours kWebhookMaxRetryAfter{24};

enum class WebhookVerdict {
  delivered,  // 2xx
  failed,     // try again later; redirects are not followed
  throttled,  // 429, 502, 504: try again, and send less at once
  gone        // 410: the receiver wants no more
};
WebhookVerdict judge_webhook(int status);

// The wait after try number `tries` (from 1) has failed: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, each +-10 % by `random` in
// [0, 1), and never shorter than the receiver's Retry-After. nullopt: it was the last try.
std::optional<std::chrono::milliseconds> webhook_retry_delay(int tries, double random, std::optional<std::chrono::seconds> retry_after);

// Retry-After (RFC 9110 10.2.3) as seconds from now: a number, or an HTTP date; at most a day. nullopt: neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, base::UnixMillis now);

}  // namespace kinora::gateway
