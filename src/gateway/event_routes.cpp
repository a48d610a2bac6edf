// Events (developer-api 5.7): of one job or of the whole project as server-sent events, resumable; and as a list.
#include <utility>

#include "gateway/event_following.hpp"
#include "gateway/event_stream.hpp"
#include "gateway/list_query.hpp"
#include "jobs/subject_hook.hpp"
#include "net/sse.hpp"

namespace kinora::gateway {
namespace {

constexpr std::size_t kMostAtOnce = 64 << 10;  // bytes in one write, but for the last event in it: what waits for a slow reader

Task<bool> send_event(Call& call, std::string type, std::string data, std::int64_t offset) {
  const auto sent = co_await call.response.write(net::format_sse({std::move(type), std::move(data), std::to_string(offset)}));
  co_return sent.has_value();
}

std::string end_frame(std::int64_t offset) { return net::format_sse({"end", "{}", std::to_string(offset)}); }

Task<void> send_end(Call& call, std::int64_t offset) {
  if (co_await call.response.write(end_frame(offset))) (void)co_await call.response.finish();
}

// Writes what follows `offset` until the subject's last event has been written, the peer goes or the log fails. "": the project's log,
// which has no end.
Task<void> follow(Call& call, const Services& services, const std::string& subject, const StreamQuery& query, std::int64_t offset) {
  const std::string project = call.caller.project;
  bool over = false;
  for (;;) {
    const auto batch = co_await services.event_reader.read(project, subject, offset);
    if (!batch) co_return;  // the stream breaks off; the client resumes where it was
    const auto& events = (*batch)->events;
    if (!events.empty()) offset = events.back().offset;
    over = over_after(events, over);
    const bool ends = !subject.empty() && over && !(*batch)->full;
    // In few writes: with thousands of listeners they are what takes time.
    std::string frames;
    for (const auto* event : thin(events, query, (*batch)->full)) {
      frames += (*batch)->frame(event);
      if (frames.size() >= kMostAtOnce && !co_await call.response.write(std::exchange(frames, std::string()))) co_return;
    }
    if (ends) frames += end_frame(offset);
    if (!frames.empty() && !co_await call.response.write(std::move(frames))) co_return;
    if (ends) {
      (void)co_await call.response.finish();
      co_return;
    }
    if ((*batch)->full) continue;
    if (co_await services.engine.feed().wait(subject, offset, services.heartbeat)) continue;
    // Silence: the subject may have been deleted together with its events.
    if (!subject.empty() && !co_await view_subject(services, project, subject)) {
      co_await send_end(call, offset);
      co_return;
    }
    if (!co_await call.response.write(": hb\n\n")) co_return;
  }
}

Task<Answer> project_events(Call& call, const Services& services) {
  const auto query = read_stream_query(call.request);
  if (!query) co_return tl::unexpected(query.error());
  const auto newest = co_await services.engine.newest_event_offset();
  if (!newest) co_return tl::unexpected(newest.error());
  if (auto kept = co_await check_offset(services, *query, *newest); !kept) co_return tl::unexpected(std::move(kept).error());
  if (!co_await start_stream(call)) co_return Reply::sent();
  co_await follow(call, services, "", *query, query->after.value_or(*newest));
  co_return Reply::sent();
}

std::vector<std::string> list_types(QueryReader& query, base::FieldErrors& errors) {
  std::vector<std::string> types = split_types(query.text("types", 1024).value_or(""));
  for (const std::string& type : types)
    if (!jobs::is_event_pattern(type)) errors.push_back({"?types", "invalid_field", "must hold types such as job.succeeded or job.*"});
  if (types.size() > kMaxTypePatterns)
    errors.push_back({"?types", "invalid_field", "at most " + std::to_string(kMaxTypePatterns) + " patterns"});
  return types;
}

Task<Answer> list(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  jobs::EventQuery wanted;
  wanted.project = call.caller.project;
  wanted.subject = query.text("subject", 64);
  const auto types = list_types(query, errors);
  json::object filters;
  if (wanted.subject) filters["subject"] = *wanted.subject;
  if (!types.empty()) filters["types"] = json::value_from(types);
  auto page = read_list_query(query, services.cursor_key, "evt", filters);
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  if (!page) co_return tl::unexpected(std::move(page).error());
  wanted.types = types;
  wanted.limit = page->page.limit + 1;
  const bool backwards = (page->page.before || page->before_id) && !page->page.after && !page->after_id;
  wanted.descending = page->page.descending != backwards;
  const auto found = co_await services.database.read([&](store::Connection& db) -> base::Result<std::vector<jobs::Event>> {
    for (const bool is_after : {true, false}) {
      const auto& key = is_after ? page->page.after : page->page.before;
      const auto& id = is_after ? page->after_id : page->before_id;
      if (!key && !id) continue;
      KINORA_TRY(const jobs::Event edge, jobs::find_event(db, wanted.project, id ? *id : key->id));
      // After the edge in a descending list are smaller offsets.
      if (is_after == page->page.descending)
        wanted.before = edge.offset;
      else
        wanted.after = edge.offset;
    }
    return jobs::read_events(db, wanted);
  });
  if (!found && found.error().code == base::ErrorCode::not_found)
    co_return refuse("events_gone", "the event where the page began is no longer kept");
  if (!found) co_return jobs::refuse(found.error());
  std::vector<jobs::Event> events = *found;
  const bool more = events.size() > static_cast<std::size_t>(page->page.limit);
  if (more) events.resize(static_cast<std::size_t>(page->page.limit));
  if (backwards) std::ranges::reverse(events);
  json::array data;
  for (const jobs::Event& event : events) {
    json::value envelope = jobs::to_json(event);
    jobs::add_urls(envelope, services.links);
    data.push_back(std::move(envelope));
  }
  std::optional<ListEdge> first, last;
  if (!events.empty()) {
    first = ListEdge{events.front().id, events.front().time};
    last = ListEdge{events.back().id, events.back().time};
  }
  co_return Reply::of(200, list_object(std::move(data), more, first, last, *page, services.cursor_key));
}

}  // namespace

Task<bool> start_stream(Call& call) {
  const net::Headers headers{{"content-type", "text/event-stream"}, {"cache-control", "no-store"}, {"x-accel-buffering", "no"}};
  if (!co_await call.start(200, headers)) co_return false;
  const auto begun = co_await call.response.write("retry: 2000\n\n");
  co_return begun.has_value();
}

Task<tl::expected<void, Problem>> check_offset(const Services& services, const StreamQuery& query, std::int64_t newest) {
  if (!query.after) co_return tl::expected<void, Problem>{};
  const auto oldest = co_await services.engine.oldest_event_offset();
  if (!oldest) co_return tl::unexpected(oldest.error());
  if (*query.after < *oldest - 1)
    co_return refuse("events_gone", "events so old are no longer kept; connect without Last-Event-ID for a snapshot");
  if (*query.after > newest) co_return refuse({{"Last-Event-ID", "invalid_field", "lies ahead of the newest event"}});
  co_return tl::expected<void, Problem>{};
}

Task<Answer> subject_events(Call& call, const Services& services, std::string subject) {
  const auto query = read_stream_query(call.request);
  if (!query) co_return tl::unexpected(query.error());
  const auto newest = co_await services.engine.newest_event_offset();
  if (!newest) co_return tl::unexpected(newest.error());
  // Read after the offset: what is missing in this picture of the subject comes as events.
  const auto view = co_await view_subject(services, call.caller.project, subject);
  if (!view) co_return tl::unexpected(view.error());
  if (auto kept = co_await check_offset(services, *query, *newest); !kept) {
    // From the beginning: nothing of this subject is missed when its first event is still there.
    const auto rest = *query->after == 0 ? co_await services.event_reader.read(call.caller.project, subject, 0)
                                         : tl::expected<SharedEventBatch, Problem>(nullptr);
    if (!rest || !*rest || (*rest)->events.empty() || (*rest)->events.front().seq != 1) co_return tl::unexpected(std::move(kept).error());
  }
  if (query->after && view->ended) {
    const auto rest = co_await services.event_reader.read(call.caller.project, subject, *query->after);
    if (rest && (*rest)->events.empty()) co_return Reply::empty(204);  // the end was seen: do not reconnect
  }
  if (!co_await start_stream(call)) co_return Reply::sent();
  if (!query->after) {
    if (!co_await send_event(call, "snapshot", json::serialize(view->snapshot), *newest)) co_return Reply::sent();
    if (view->ended) {
      co_await send_end(call, *newest);
      co_return Reply::sent();
    }
  }
  co_await follow(call, services, subject, *query, query->after.value_or(*newest));
  co_return Reply::sent();
}

void add_event_routes(Surface& surface, SharedServices services) {
  surface.add("GET", "/v1/jobs/{id}/events", "jobs:read",
              [services](Call& call) { return subject_events(call, *services, std::string(call.request.param("id"))); });
  surface.add("GET", "/v1/events", "jobs:read", [services](Call& call) { return list(call, *services); });
  surface.add("GET", "/v1/events/stream", "jobs:read", [services](Call& call) { return project_events(call, *services); });
}

}  // namespace kinora::gateway
