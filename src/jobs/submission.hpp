#pragma once
// The body of POST /v1/jobs (developer-api 5.3.1), checked against the catalogue. Pure: media references are named, not yet looked up.
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "jobs/job.hpp"
#include "jobs/media_value.hpp"
#include "jobs/outcome.hpp"
#include "jobs/subject_hook.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::jobs {

inline constexpr std::int64_t kMaxDeadlineS = 86'400;
inline constexpr int kMaxTags = 32;
inline constexpr std::size_t kMaxTagBytes = 64;
inline constexpr std::size_t kMaxMetadata = 32;
inline constexpr std::size_t kMaxMetadataBytes = 512;

struct Submission {
  const tasks::TaskSpec* task = nullptr;
  std::optional<std::string> model;
  json::object input;   // as sent
  json::object params;  // effective
  std::vector<MediaRef> media;
  json::object requirements, output_options, metadata;
  std::optional<std::int64_t> deadline_s, start_timeout_s, retention_s;
  std::optional<UnixMillis> deadline;
  Priority priority = Priority::normal;
  RetryPolicy retry;
  std::optional<std::string> client_ref, end_user;
  std::vector<std::string> tags;
  std::optional<SubjectHook> webhook;
  int wait_s = 0;
  bool ephemeral = false;
};

// Of a job whose data goes by itself: that long after its end, or a little after its results were fetched.
inline constexpr std::int64_t kEphemeralS = 3600;
inline constexpr std::int64_t kFetchedS = 60;  // a connection may break with the last bytes: time to ask again

// All errors at once. Code: schema_invalid (422) when only the input is wrong, else that of the first wrong field (400); task_not_found
// (404), with what else is wrong.
Outcome<Submission> parse_submission(const json::value& body);

// Members `tags` and `metadata`; nullopt when absent. What is wrong is added to `errors`.
std::optional<std::vector<std::string>> read_tags(base::ObjectReader& in, base::FieldErrors& errors);
std::optional<json::object> read_metadata(base::ObjectReader& in, base::FieldErrors& errors);

}  // namespace kinora::jobs
