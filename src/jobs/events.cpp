#include "jobs/events.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/time.hpp"
#include "store/fault_point.hpp"

namespace kinora::jobs {
namespace {

namespace asio = boost::asio;
using store::Connection;
using store::Statement;

template <class... Values>
base::Result<std::int64_t> single(Connection& connection, std::string_view sql, const Values&... values) {
  KINORA_TRY(Statement row, connection.query(sql, values...));
  KINORA_TRY(const bool there, row.step());
  return there ? row.integer(0) : 0;
}

const std::string kSelect = "SELECT \"offset\", id, project, subject, seq, type, time, data FROM events WHERE";

Event read_row(const Statement& row) {
  return {row.integer(0),
          std::string(row.text(1)),
          std::string(row.text(2)),
          std::string(row.text(3)),
          row.integer(4),
          std::string(row.text(5)),
          UnixMillis(std::chrono::milliseconds(row.integer(6))),
          json::parse(row.text(7))};
}

base::Result<Event> only(base::Result<Statement> row) {
  if (!row) return base::fail(row.error());
  KINORA_TRY(const bool there, row->step());
  if (!there) return base::fail(base::ErrorCode::not_found, "there is no event of that id");
  return read_row(*row);
}

}  // namespace

json::object to_json(const Event& event) {
  const std::string time = base::to_rfc3339(event.time);
  return {{"specversion", "1.0"},
          {"id", event.id},
          {"source", "/v1/projects/" + event.project},
          {"type", event.type},
          {"subject", event.subject},
          {"time", time},
          {"timestamp", time},
          {"datacontenttype", "application/json"},
          {"seq", event.seq},
          {"data", event.data}};
}

bool matches(std::string_view pattern, std::string_view type) {
  if (pattern == "*") return true;
  if (pattern.ends_with(".*")) return type.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == type;
}

base::Result<std::int64_t> append_event(Connection& connection, const Event& event) {
  store::fault::carries(event.type);
  // Not RETURNING, which opens a table of its own for the answer.
  KINORA_TRY(
      const auto counted,
      connection.run("INSERT INTO event_seq(subject, seq) VALUES(?, 1) ON CONFLICT(subject) DO UPDATE SET seq = seq + 1", event.subject));
  static_cast<void>(counted);
  KINORA_TRY(const std::int64_t seq, single(connection, "SELECT seq FROM event_seq WHERE subject = ?", event.subject));
  KINORA_TRY(const auto added, connection.run("INSERT INTO events(id, project, subject, seq, type, time, data) VALUES(?, ?, ?, ?, ?, ?, ?)",
                                              event.id, event.project, event.subject, seq, event.type,
                                              event.time.time_since_epoch().count(), json::serialize(event.data)));
  static_cast<void>(added);
  return connection.last_insert_rowid();
}

base::Result<std::vector<Event>> read_events(Connection& connection, const EventQuery& query) {
  constexpr int kMostEvents = 1000;
  std::string sql = kSelect + " \"offset\" > ?";
  if (query.subject) sql += " AND subject = ?";
  if (!query.project.empty()) sql += " AND project = ?";
  if (query.before) sql += " AND \"offset\" < ?";
  if (!query.types.empty()) sql += " AND EXISTS(SELECT 1 FROM json_each(?) WHERE events.type GLOB json_each.value)";
  // Of one subject seq and offset have the same order, and there is an index for seq.
  sql += query.subject ? " ORDER BY seq" : " ORDER BY \"offset\"";
  sql += query.descending ? " DESC LIMIT ?" : " LIMIT ?";
  KINORA_TRY(Statement row, connection.query(sql, query.after));
  int index = 1;
  if (query.subject) row.bind(++index, *query.subject);
  if (!query.project.empty()) row.bind(++index, query.project);
  if (query.before) row.bind(++index, *query.before);
  if (!query.types.empty()) row.bind(++index, json::serialize(json::value_from(query.types)));
  row.bind(++index, std::clamp(query.limit, 1, kMostEvents));
  std::vector<Event> out;
  for (;;) {
    KINORA_TRY(const bool there, row.step());
    if (!there) return out;
    out.push_back(read_row(row));
  }
}

base::Result<Event> find_event(Connection& connection, std::int64_t offset) {
  return only(connection.query(kSelect + " \"offset\" = ?", offset));
}

base::Result<Event> find_event(Connection& connection, std::string_view project, std::string_view id) {
  return only(connection.query(kSelect + " id = ? AND project = ?", id, project));
}

base::Result<std::int64_t> offset_before(Connection& connection, UnixMillis time) {
  KINORA_TRY(Statement row, connection.query("SELECT \"offset\" - 1 FROM events WHERE time >= ? ORDER BY time, \"offset\" LIMIT 1",
                                             time.time_since_epoch().count()));
  KINORA_TRY(const bool there, row.step());
  if (there) return row.integer(0);
  return newest_event(connection);
}

base::Result<std::int64_t> oldest_event(Connection& connection) {
  return single(connection, "SELECT COALESCE(MIN(\"offset\"), (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'events'), 0) FROM events");
}
base::Result<std::int64_t> newest_event(Connection& connection) {
  return single(connection, "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)");
}

// On the stack of the waiting coroutine; the timer's cancellation is the wake-up.
struct EventFeed::Waiter {
  asio::steady_timer timer;
  std::int64_t after;
  bool woken = false;
};

EventFeed::EventFeed(asio::any_io_executor executor) : executor_(std::move(executor)), alive_(std::make_shared<bool>(true)) {}

EventFeed::~EventFeed() {
  *alive_ = false;
  for (auto& [subject, waiter] : waiters_) waiter->timer.cancel();
}

Task<bool> EventFeed::wait(std::string subject, std::int64_t after, std::chrono::milliseconds timeout) {
  if (subject.empty() && newest_any_ > after) co_return true;
  for (const auto* generation : {&recent_, &older_})
    if (const auto known = generation->find(subject); known != generation->end() && known->second > after) co_return true;
  Waiter waiter{asio::steady_timer(executor_, timeout), after};
  // Leaves the list also when the coroutine is cancelled or destroyed, but not when the feed has gone first.
  struct Entry {
    EventFeed& feed;
    std::shared_ptr<bool> alive;
    decltype(waiters_)::iterator at;
    ~Entry() {
      if (*alive) feed.waiters_.erase(at);
    }
  };
  const Entry entry{*this, alive_, waiters_.emplace(std::move(subject), &waiter)};
  boost::system::error_code ignored;
  co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return waiter.woken;
}

void EventFeed::announce(std::string_view subject, std::int64_t offset) {
  constexpr std::size_t kRemembered = 4096;  // subjects in a generation
  newest_any_ = std::max(newest_any_, offset);
  recent_[std::string(subject)] = offset;
  if (recent_.size() >= kRemembered) older_ = std::exchange(recent_, {});
  for (const std::string_view key : {subject, std::string_view()}) {
    const auto [first, last] = waiters_.equal_range(key);
    for (auto at = first; at != last; ++at) {
      if (at->second->after >= offset) continue;
      at->second->woken = true;
      at->second->timer.cancel();
    }
  }
}

}  // namespace kinora::jobs
