#include "gateway/webhook_result.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace kinora::gateway {
namespace {

using store::Connection;

base::Result<jobs::Event> disable(Connection& connection, WebhookEndpoint& endpoint, std::string_view reason, base::UnixMillis now,
                                  const NewId& new_id) {
  endpoint.enabled = false;
  endpoint.disabled_reason = reason;
  ++endpoint.version;
  KINORA_OK(fail_pending(connection, endpoint.id, "the endpoint was disabled"));
  jobs::Event event;
  event.id = new_id("evt");
  event.project = endpoint.project;
  event.subject = endpoint.id;
  event.type = "webhook.disabled";
  event.time = now;
  event.data = json::object{{"id", endpoint.id}, {"object", "webhook"}, {"url", endpoint.url}, {"disabled_reason", reason}};
  KINORA_TRY(event.offset, jobs::append_event(connection, event));
  return event;
}

}  // namespace

base::Result<std::optional<jobs::Event>> store_try(Connection& connection, const std::string& id, const WebhookTryResult& result,
                                                   const NewId& new_id) {
  auto found = find_delivery(connection, id);
  if (!found) return std::optional<jobs::Event>();  // the endpoint was deleted meanwhile
  WebhookDelivery& delivery = *found;
  KINORA_TRY(WebhookEndpoint endpoint, find_webhook(connection, delivery.endpoint));
  const WebhookVerdict verdict = judge_webhook(static_cast<int>(result.status.value_or(kNothingToSend)));
  const bool nothing = result.status == kNothingToSend;
  ++delivery.tries;
  delivery.last_at = result.now;
  delivery.status_code = nothing ? std::nullopt : result.status;
  delivery.duration_ms = result.took.count();
  delivery.excerpt = result.excerpt;
  delivery.error = result.error;
  delivery.next_at.reset();
  std::optional<jobs::Event> event;
  if (verdict == WebhookVerdict::delivered) {
    delivery.state = "delivered";
    endpoint.last_success_at = result.now;
    endpoint.failure_since.reset();
    endpoint.paused_until.reset();
  } else if (nothing) {
    delivery.state = "failed";
  } else {
    const auto wait = webhook_retry_delay(delivery.tries, result.random, result.retry_after);
    // Skipped or closed meanwhile stays so.
    if (delivery.state == "pending" && (!wait || verdict == WebhookVerdict::gone)) delivery.state = "failed";
    if (delivery.state == "pending") delivery.next_at = result.now + *wait;
    if (!endpoint.failure_since) endpoint.failure_since = result.now;
    if (verdict == WebhookVerdict::throttled && result.retry_after) endpoint.paused_until = result.now + *result.retry_after;
  }
  KINORA_OK(update_delivery(connection, delivery));
  if (endpoint.enabled && endpoint.failure_since) {
    const auto failing = result.now - *endpoint.failure_since;
    if (verdict == WebhookVerdict::gone) {
      KINORA_TRY(event, disable(connection, endpoint, "gone", result.now, new_id));
    } else if (failing >= kWebhookGivesUpAfter) {
      KINORA_TRY(event, disable(connection, endpoint, "failing", result.now, new_id));
    } else if (failing > kWebhookSkipsAfter) {
      KINORA_OK(skip_superseded(connection, endpoint.id, delivery.subject));
    }
  }
  KINORA_OK(update_webhook(connection, endpoint));
  return event;
}

base::Result<std::optional<std::int64_t>> unwatched_until(Connection& connection) {
  KINORA_TRY(auto row,
             connection.query("SELECT EXISTS(SELECT 1 FROM webhooks WHERE enabled = 1 AND of_subject = 0) OR EXISTS(SELECT 1 FROM "
                              "subject_hooks)"));
  KINORA_TRY(const bool there, row.step());
  if (there && row.integer(0) != 0) return std::optional<std::int64_t>();
  KINORA_TRY(const std::int64_t newest, jobs::newest_event(connection));
  return std::optional(newest);
}

std::string child_traceparent(const std::string& trace_id) {
  std::array<std::uint8_t, 8> span{};
  RAND_bytes(span.data(), static_cast<int>(span.size()));
  return "00-" + trace_id + "-" + base::to_hex(span) + "-01";
}

}  // namespace kinora::gateway
