#pragma once
// The webhook that a request brings along (developer-api 5.3.1, field `webhook`): events of one job or run go to a URL of its own, or to a
// registered endpoint. Stored in the transaction that accepts the job or run, so that no event can come before it.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

namespace json = base::json;

inline constexpr std::size_t kMaxHookUrlBytes = 2048;
inline constexpr std::size_t kMaxEventPatterns = 32;

struct SubjectHook {
  std::string url;                  // or
  std::string endpoint;             // whk_...
  std::vector<std::string> events;  // patterns; empty: all
};

// A pattern of event types: "*", "job.*" or "job.succeeded".
bool is_event_pattern(std::string_view text);
// The patterns under `key`; what is wrong is recorded.
std::vector<std::string> read_event_patterns(base::ObjectReader& in, std::string_view key);
// {url, events?} or {endpoint, events?}. Whether the URL may be called is the gateway's to say.
std::optional<SubjectHook> read_subject_hook(base::ObjectReader& body, std::string_view key, base::FieldErrors& errors);
json::object to_json(const SubjectHook& hook);

base::Status put_subject_hook(store::Connection& connection, std::string_view subject, const SubjectHook& hook);
base::Result<std::optional<SubjectHook>> find_subject_hook(store::Connection& connection, std::string_view subject);
base::Status drop_subject_hook(store::Connection& connection, std::string_view subject);

}  // namespace kinora::jobs
