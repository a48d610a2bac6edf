#include "gateway/webhook_outbox.hpp"

#include <algorithm>

#include "gateway/event_stream.hpp"
#include "gateway/webhook_schedule.hpp"
#include "jobs/subject_hook.hpp"

namespace kinora::gateway {
namespace {

using store::Connection;

bool wants(const std::vector<std::string>& patterns, std::string_view type) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) { return jobs::matches(pattern, type); });
}

base::Status deliver(Connection& connection, const jobs::Event& event, const WebhookEndpoint& endpoint, base::UnixMillis now,
                     const NewId& new_id, Expanded& out) {
  KINORA_OK(insert_delivery(connection, delivery_of(event, endpoint, now, new_id)));
  ++out.deliveries;
  const bool failing = endpoint.failure_since && now - *endpoint.failure_since > kWebhookSkipsAfter;
  if (failing && ends_subject(event.type)) KINORA_OK(skip_superseded(connection, endpoint.id, event.subject));
  return {};
}

// The endpoint of the subject's own webhook; made at its first event. nullopt: disabled, or no longer there.
base::Result<std::optional<WebhookEndpoint>> endpoint_of(Connection& connection, const jobs::Event& event, const jobs::SubjectHook& hook,
                                                         base::UnixMillis now, const NewId& new_id) {
  std::optional<WebhookEndpoint> endpoint;
  if (!hook.endpoint.empty()) {
    auto found = find_webhook(connection, event.project, hook.endpoint);
    if (!found && found.error().code != base::ErrorCode::not_found) return base::fail(std::move(found).error());
    if (found) endpoint = std::move(*found);
  } else {
    KINORA_TRY(endpoint, find_subject_webhook(connection, event.project, hook.url));
    if (!endpoint) {
      endpoint.emplace();
      endpoint->id = new_id("whk");
      endpoint->project = event.project;
      endpoint->url = hook.url;
      endpoint->came_with_subject = true;
      endpoint->created_at = now;
      KINORA_OK(insert_webhook(connection, *endpoint));
    }
  }
  if (endpoint && !endpoint->enabled) endpoint.reset();
  return endpoint;
}

}  // namespace

WebhookDelivery delivery_of(const jobs::Event& event, const WebhookEndpoint& endpoint, base::UnixMillis now, const NewId& new_id) {
  WebhookDelivery out;
  out.id = new_id("dlv");
  out.endpoint = endpoint.id;
  out.project = event.project;
  out.event_offset = event.offset;
  out.event_id = event.id;
  out.subject = event.subject;
  out.type = event.type;
  out.last = ends_subject(event.type);
  out.next_at = now;
  out.created_at = now;
  return out;
}

base::Result<Expanded> expand_outbox(Connection& connection, base::UnixMillis now, const NewId& new_id) {
  Expanded out;
  KINORA_TRY(out.cursor, webhook_cursor(connection));
  jobs::EventQuery query;
  query.after = out.cursor;
  query.limit = kOutboxBatch;
  KINORA_TRY(const auto events, jobs::read_events(connection, query));
  if (events.empty()) return out;
  KINORA_TRY(const auto endpoints, enabled_webhooks(connection));
  std::map<std::string, std::optional<jobs::SubjectHook>> hooks;
  for (const jobs::Event& event : events) {
    if (event.type == kWebhookTestType) continue;
    for (const WebhookEndpoint& endpoint : endpoints)
      if (endpoint.project == event.project && event.offset > endpoint.after_offset && wants(endpoint.events, event.type))
        KINORA_OK(deliver(connection, event, endpoint, now, new_id, out));
    auto hook = hooks.find(event.subject);
    if (hook == hooks.end()) {
      KINORA_TRY(auto found, jobs::find_subject_hook(connection, event.subject));
      hook = hooks.emplace(event.subject, std::move(found)).first;
    }
    if (!hook->second || !wants(hook->second->events, event.type)) continue;
    KINORA_TRY(const auto endpoint, endpoint_of(connection, event, *hook->second, now, new_id));
    if (endpoint) KINORA_OK(deliver(connection, event, *endpoint, now, new_id, out));
  }
  out.cursor = events.back().offset;
  out.more = events.size() == static_cast<std::size_t>(kOutboxBatch);
  KINORA_OK(set_webhook_cursor(connection, out.cursor));
  return out;
}

base::Status expand_all(Connection& connection, base::UnixMillis now, const NewId& new_id) {
  for (;;) {
    KINORA_TRY(const Expanded batch, expand_outbox(connection, now, new_id));
    if (!batch.more) return {};
  }
}

base::Result<Recovered> recover_webhook(Connection& connection, const WebhookEndpoint& endpoint, base::UnixMillis since,
                                        base::UnixMillis now, const NewId& new_id) {
  Recovered out;
  KINORA_TRY(auto reset,
             connection.run("UPDATE webhook_deliveries SET state = 'pending', tries = 0, next_at = ?, error = '' WHERE endpoint = ? "
                            "AND in_order = 1 AND state IN ('failed', 'skipped') AND created_at >= ?",
                            now.time_since_epoch().count(), endpoint.id, since.time_since_epoch().count()));
  out.scheduled = static_cast<int>(reset);
  jobs::EventQuery query;
  query.project = endpoint.project;
  KINORA_TRY(query.after, jobs::offset_before(connection, since));
  query.limit = 1000;
  for (int looked = 0; looked < kMaxRecovered;) {
    KINORA_TRY(const auto events, jobs::read_events(connection, query));
    for (const jobs::Event& event : events) {
      if (event.type == kWebhookTestType || !wants(endpoint.events, event.type)) continue;
      KINORA_OK(insert_delivery(connection, delivery_of(event, endpoint, now, new_id)));
      out.scheduled += static_cast<int>(connection.changes() > 0);
    }
    if (events.size() < 1000) return out;
    looked += static_cast<int>(events.size());
    query.after = events.back().offset;
    out.until = events.back().time;
  }
  out.has_more = true;
  return out;
}

}  // namespace kinora::gateway
