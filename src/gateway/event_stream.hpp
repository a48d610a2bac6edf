#pragma once
// What a client asks of an event stream (developer-api 5.7) and how a batch of events is thinned for it. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/call.hpp"
#include "jobs/events.hpp"

namespace kinora::gateway {

inline constexpr std::size_t kMaxTypePatterns = 32;

struct StreamQuery {
  std::optional<std::int64_t> after;  // resume: Last-Event-ID, or ?after=
  std::vector<std::string> types;     // patterns; empty: all
  bool progress = true;               // ?progress=0 leaves job.progress, job.preview and job.log out
};
// Last-Event-ID wins over ?after=, as it is what a browser sends when it reconnects to the same URL.
tl::expected<StreamQuery, Problem> read_stream_query(const net::Request& request);
// A store offset: decimal digits of a 63-bit number.
std::optional<std::int64_t> parse_offset(std::string_view text);

// "job.*,run.failed" as a list.
std::vector<std::string> split_types(std::string_view text);

bool wanted(const StreamQuery& query, std::string_view type);
bool may_be_dropped(std::string_view type);  // job.progress, job.preview, job.log
bool ends_subject(std::string_view type);    // job.succeeded, job.failed, job.canceled, job.expired
// Leaves out what is not wanted. For a reader that is a whole batch `behind` also, of several droppable events of one type in a row, all
// but the last: it gets fewer of them, and every change of state. Who keeps up gets every event.
std::vector<const jobs::Event*> thin(const std::vector<jobs::Event>& batch, const StreamQuery& query, bool behind);
// Whether the subject is over after these, when it was (`over`) or was not before them: a run that is retried goes on.
bool over_after(const std::vector<jobs::Event>& batch, bool over);

}  // namespace kinora::gateway
