// GET /v1/jobs/{id}/events: the job's events as server-sent events, from the event log, resumable (developer-api 5.7).
#include "gateway/event_stream.hpp"
#include "gateway/services.hpp"
#include "net/sse.hpp"

namespace kinora::gateway {
namespace {

constexpr int kBatch = 200;

Task<bool> send_event(Call& call, std::string type, const json::value& data, std::int64_t offset) {
  const auto sent = co_await call.response.write(net::format_sse({std::move(type), json::serialize(data), std::to_string(offset)}));
  co_return sent.has_value();
}

Task<void> send_end(Call& call, std::int64_t offset) {
  (void)co_await send_event(call, "end", json::object{}, offset);
  (void)co_await call.response.finish();
}

// Writes what follows `offset` until the job's last event has been written, the peer goes or the log fails.
Task<void> follow(Call& call, const Services& services, const std::string& job, const StreamQuery& query, std::int64_t offset) {
  for (;;) {
    const auto batch = co_await services.engine.events({call.caller.project, job, offset, kBatch});
    if (!batch) co_return;  // the stream breaks off; the client resumes where it was
    for (const auto* event : thin(*batch, query)) {
      json::value envelope = jobs::to_json(*event);
      jobs::add_urls(envelope, services.links);
      if (!co_await send_event(call, event->type, envelope, event->offset)) co_return;
    }
    if (!batch->empty()) offset = batch->back().offset;
    if (std::ranges::any_of(*batch, [](const jobs::Event& event) { return ends_subject(event.type); })) {
      co_await send_end(call, offset);
      co_return;
    }
    if (batch->size() == kBatch) continue;
    if (co_await services.engine.feed().wait(job, offset, services.heartbeat)) continue;
    // Silence: the job may have been deleted together with its events.
    const auto now = co_await services.engine.get(call.caller.project, job);
    if (!now) {
      co_await send_end(call, offset);
      co_return;
    }
    if (!co_await call.response.write(": hb\n\n")) co_return;
  }
}

Task<Answer> events(Call& call, const Services& services) {
  const auto query = read_stream_query(call.request);
  if (!query) co_return tl::unexpected(query.error());
  const auto newest = co_await services.engine.newest_event_offset();
  if (!newest) co_return tl::unexpected(newest.error());
  // Read after the offset: what is missing in this picture of the job comes as events.
  const auto job = co_await services.engine.get(call.caller.project, std::string(call.request.param("id")));
  if (!job) co_return tl::unexpected(job.error());

  if (query->after) {
    const auto oldest = co_await services.engine.oldest_event_offset();
    if (!oldest) co_return tl::unexpected(oldest.error());
    if (*query->after < *oldest - 1)
      co_return refuse("events_gone", "events so old are no longer kept; connect without Last-Event-ID for a snapshot");
    if (*query->after > *newest) co_return refuse({{"Last-Event-ID", "invalid_field", "lies ahead of the newest event"}});
    if (jobs::terminal(job->status)) {
      const auto rest = co_await services.engine.events({call.caller.project, job->id, *query->after, 1});
      if (rest && rest->empty()) co_return Reply::empty(204);  // the end was seen: do not reconnect
    }
  }
  const net::Headers headers{{"content-type", "text/event-stream"}, {"cache-control", "no-store"}, {"x-accel-buffering", "no"}};
  if (!co_await call.start(200, headers)) co_return Reply::sent();
  if (!co_await call.response.write("retry: 2000\n\n")) co_return Reply::sent();
  if (!query->after) {
    const json::object snapshot = jobs::to_json(*job, services.links, services.clock(), services.engine.queue_position(job->id));
    if (!co_await send_event(call, "snapshot", snapshot, *newest)) co_return Reply::sent();
    if (jobs::terminal(job->status)) {
      co_await send_end(call, *newest);
      co_return Reply::sent();
    }
  }
  co_await follow(call, services, job->id, *query, query->after.value_or(*newest));
  co_return Reply::sent();
}

}  // namespace

void add_event_routes(Surface& surface, SharedServices services) {
  surface.add("GET", "/v1/jobs/{id}/events", "jobs:read", [services](Call& call) { return events(call, *services); });
}

}  // namespace kinora::gateway
