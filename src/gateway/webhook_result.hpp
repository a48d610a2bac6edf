#pragma once
// What a try of a delivery leads to, in one transaction: delivered, again later, given up; the endpoint healthy, failing, disabled.
#include <chrono>
#include <optional>
#include <string>

#include "gateway/webhook_outbox.hpp"
#include "gateway/webhook_schedule.hpp"

namespace kinora::gateway {

// In place of a status: the event or the endpoint is gone, there is nothing to send.
inline constexpr std::int64_t kNothingToSend = 0;

struct WebhookTryResult {
  std::optional<std::int64_t> status;  // of the answer; nullopt: none came
  std::string excerpt, error;
  std::chrono::milliseconds took{};
  std::optional<std::chrono::seconds> retry_after;
  base::UnixMillis now{};
  double random = 0.5;  // in [0, 1), for the jitter
};

// Inside a write. The event `webhook.disabled`, when there is one to announce.
base::Result<std::optional<jobs::Event>> store_try(store::Connection& connection, const std::string& delivery,
                                                   const WebhookTryResult& result, const NewId& new_id);
// When nobody waits for any event (no endpoint, no webhook of a subject): the newest offset; nobody has to look at what lies before it.
base::Result<std::optional<std::int64_t>> unwatched_until(store::Connection& connection);

// "00-<trace>-<new span>-01"
std::string child_traceparent(const std::string& trace_id);

}  // namespace kinora::gateway
