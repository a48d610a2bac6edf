// The log of a job (developer-api 5.3.4): a page of it, or, with Accept: text/event-stream, its lines as they come.
#include <limits>

#include "gateway/event_following.hpp"
#include "gateway/job_log.hpp"
#include "gateway/list_query.hpp"
#include "net/sse.hpp"

namespace kinora::gateway {
namespace {

struct LogQuery {
  std::int64_t after = 0;  // lines with seq beyond it
  std::string level;
  std::int64_t limit = 100;  // of a page
};

Task<Answer> page(const Services& services, const jobs::Job& job, const LogQuery& query) {
  LogPage page(query.after, query.level, static_cast<std::size_t>(query.limit));
  jobs::EventQuery events{job.project, job.id, 0, 1000};
  for (bool more = true; more && !page.full();) {
    const auto batch = co_await services.engine.events(events);
    if (!batch) co_return tl::unexpected(batch.error());
    for (const auto& event : *batch) page.add(event);
    more = batch->size() == static_cast<std::size_t>(events.limit);
    if (more) events.after = batch->back().offset;
  }
  co_return Reply::of(200, page.to_json());
}

// Lines as events `log` with their seq as id, after the job's last one `end`. 204 to who resumes behind the end.
Task<Answer> stream(Call& call, const Services& services, const jobs::Job& job, const LogQuery& query) {
  std::int64_t offset = 0, seq = query.after;
  bool over = false, begun = false;
  for (;;) {
    const auto batch = co_await services.event_reader.read(job.project, job.id, offset);
    if (!batch) {
      if (begun) co_return Reply::sent();  // breaks off; the client resumes where it was
      co_return tl::unexpected(batch.error());
    }
    const auto& events = (*batch)->events;
    std::string frames;
    for (const auto& event : events) {
      offset = event.offset;
      if (event.seq <= seq) continue;
      seq = event.seq;
      if (const auto line = log_line(event, query.level)) frames += net::format_sse({"log", json::serialize(*line), std::to_string(seq)});
    }
    over = over_after(events, over);
    const bool ends = over && !(*batch)->full;
    if (ends && !begun && query.after > 0 && seq == query.after) co_return Reply::empty(204);
    if (!begun && !co_await start_stream(call)) co_return Reply::sent();
    begun = true;
    if (ends) frames += net::format_sse({"end", "{}", std::to_string(seq)});
    if (!frames.empty() && !co_await call.response.write(std::move(frames))) co_return Reply::sent();
    if (ends) {
      (void)co_await call.response.finish();
      co_return Reply::sent();
    }
    if ((*batch)->full || co_await services.engine.feed().wait(job.id, offset, services.heartbeat)) continue;
    // Silence: the job may have been deleted.
    if (!co_await services.engine.get(job.project, job.id) || !co_await call.response.write(": hb\n\n")) co_return Reply::sent();
  }
}

Task<Answer> logs(Call& call, const Services& services) {
  const bool follows = call.request.headers.get("accept").value_or("").find("text/event-stream") != std::string_view::npos;
  base::FieldErrors errors;
  QueryReader reader(call.request.query, errors);
  LogQuery query;
  query.after = reader.integer("after", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
  query.level = reader.choice("level", {"debug", "info", "warn", "error"}).value_or("debug");
  query.limit = reader.integer("limit", 1, 1000).value_or(query.limit);
  reader.finish();
  if (const auto last = call.request.headers.get("last-event-id"); follows && last && !last->empty()) {
    const auto seq = parse_offset(*last);
    if (!seq) errors.push_back({"Last-Event-ID", "invalid_field", "must be the id of an event of this stream"});
    query.after = seq.value_or(0);
  }
  if (!errors.empty()) co_return refuse(std::move(errors));
  const auto job = co_await services.engine.get(call.caller.project, std::string(call.request.param("id")));
  if (!job) co_return tl::unexpected(job.error());
  if (follows) co_return co_await stream(call, services, *job, query);
  co_return co_await page(services, *job, query);
}

}  // namespace

void add_job_log_routes(Surface& surface, SharedServices services) {
  ServiceRoutes{surface, std::move(services)}("GET", "/v1/jobs/{id}/logs", "jobs:read", logs);
}

}  // namespace kinora::gateway
