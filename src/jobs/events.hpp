#pragma once
// The event log (developer-api 5.7): appended in the same transaction as the change it tells of; everything that is fanned out is read
// from here. `seq` counts per subject without gaps; `offset` is the store's own order, used to resume.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.hpp"
#include "base/ulid.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

namespace json = base::json;
using base::UnixMillis;
template <class T>
using Task = boost::asio::awaitable<T>;

struct Event {
  std::int64_t offset = 0;
  std::string id;  // evt_...
  std::string project;
  std::string subject;  // job_..., art_..., upl_...
  std::int64_t seq = 0;
  std::string type;  // job.created ...
  base::UnixMillis time{};
  json::value data;
};

// The CloudEvents envelope.
json::object to_json(const Event& event);
// A type pattern of a filter: "job.*" or "job.progress".
bool matches(std::string_view pattern, std::string_view type);

// Inside a write: appends and returns the offset. `id` must be new.
base::Result<std::int64_t> append_event(store::Connection& connection, const Event& event);

struct EventQuery {
  std::string project;  // empty: of all
  std::optional<std::string> subject;
  std::int64_t after = 0;                   // offset, exclusive
  int limit = 100;                          // 1..1000
  std::vector<std::string> types = {};      // patterns; empty: all
  std::optional<std::int64_t> before = {};  // offset, exclusive
  bool descending = false;
};
// By offset.
base::Result<std::vector<Event>> read_events(store::Connection& connection, const EventQuery& query);
base::Result<Event> find_event(store::Connection& connection, std::int64_t offset);                            // not_found
base::Result<Event> find_event(store::Connection& connection, std::string_view project, std::string_view id);  // not_found
// The offset before the first event of that time or later.
base::Result<std::int64_t> offset_before(store::Connection& connection, UnixMillis time);
// The oldest offset that is still kept, or the next one when none is; an older `after` is gone (410 events_gone).
base::Result<std::int64_t> oldest_event(store::Connection& connection);
base::Result<std::int64_t> newest_event(store::Connection& connection);  // ever, kept or not

// Wakes those who wait for news of a subject. Not a queue: read the log, then wait with the last offset seen, then read again.
// Announcements are remembered for a while, so one that comes between the read and the wait is not missed.
// Threading: one executor. Waits end when the feed is destroyed.
class EventFeed {
 public:
  explicit EventFeed(boost::asio::any_io_executor executor);
  ~EventFeed();
  // True: an event with an offset above `after` is committed (for the subject; "" = any). False: timed out. Cancellable.
  Task<bool> wait(std::string subject, std::int64_t after, std::chrono::milliseconds timeout);
  void announce(std::string_view subject, std::int64_t offset);  // after the commit

 private:
  struct Waiter;
  boost::asio::any_io_executor executor_;
  std::multimap<std::string, Waiter*, std::less<>> waiters_;
  std::shared_ptr<bool> alive_;
  std::unordered_map<std::string, std::int64_t> recent_, older_;  // last offset by subject, in two generations
  std::int64_t newest_any_ = 0;
};

}  // namespace kinora::jobs
