#pragma once
// A job's record and its public JSON (developer-api 5.3.1, 5.3.2).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/ulid.hpp"
#include "jobs/links.hpp"

namespace kinora::jobs {

namespace json = base::json;
using base::UnixMillis;

enum class Status { queued, running, succeeded, failed, canceled, expired };
enum class Phase { accepted, awaiting_input, queued, dispatching, retry_wait, preparing, running, verifying, finalizing, canceling, done };
enum class Priority { low, normal, high, realtime };
std::string_view name(Status status);
std::string_view name(Phase phase);
std::string_view name(Priority priority);
std::optional<Status> parse_status(std::string_view text);
std::optional<Phase> parse_phase(std::string_view text);
std::optional<Priority> parse_priority(std::string_view text);
inline bool terminal(Status status) { return status != Status::queued && status != Status::running; }

struct RetryPolicy {
  int max_attempts = 3;  // 1..10, per task of the job
  std::vector<std::string> on = {"platform", "worker", "network"};
  std::int64_t initial_ms = 1000;
  double coefficient = 2.0;
  std::int64_t max_ms = 60'000;
};

// The step of a run that a job does.
struct JobParent {
  std::string run, step;
  int index = 0;
};

// One row of table `jobs`.
struct Job {
  std::string id;
  std::string project;
  std::string key;  // id of the API key that made it
  std::int64_t version = 1;
  std::string task;
  std::optional<std::string> model;           // as asked
  std::optional<std::string> resolved_model;  // as a worker reported
  std::optional<std::string> weights;         // digest of those that made the output, when all its parts tell the same
  Status status = Status::queued;
  Phase phase = Phase::accepted;
  std::optional<std::string> status_reason;
  Priority priority = Priority::normal;
  json::object input;     // as asked, data: URIs replaced by artifacts
  json::object params;    // effective, defaults filled in
  json::value output;     // null until succeeded; names artifacts by id
  json::value error;      // null, or the object of 5.14
  json::object progress;  // empty until something is known
  json::object attempt;   // {number, of, worker, region, started_at}, empty before the first
  json::object requirements, output_options, metadata;
  RetryPolicy retry;
  std::vector<std::string> tags;
  std::optional<std::string> client_ref, end_user, retry_of, trace_id;
  std::int64_t retention_s = 604'800;
  UnixMillis created_at{}, deadline_at{};
  std::optional<UnixMillis> queued_at, preparing_at, running_at, verifying_at, finalizing_at, completed_at, heartbeat_at, expires_at;
  std::optional<UnixMillis> start_deadline_at;
  bool cancel_requested = false;
  bool data_removed = false;
  bool ephemeral = false;  // its data goes by itself (submission.hpp)
  std::optional<JobParent> parent;
};

// The full public object. `queue_position` 0: not waiting; `queue_eta_s`: until it is done. Nothing secret is in it.
json::object to_json(const Job& job, const Links& links, UnixMillis now, std::int64_t queue_position = 0,
                     std::optional<double> queue_eta_s = std::nullopt);
// The thin snapshot for events: id, status, phase, progress, error code, outputs' artifacts.
json::object event_data(const Job& job);
// Adds url and url_expires_at to every object that names an artifact, at any depth (a job's output, an event's data).
void add_urls(json::value& value, const Links& links);
// When to ask again: 500 ms when less than 10 s are left, else a twentieth of what is left within 1..15 s (5.1 "Poll hint"). 0: terminal.
std::int64_t poll_after_ms(const Job& job, std::optional<double> queue_eta_s = std::nullopt);

// The rows of `GET /v1/jobs/{id}/attempts`.
struct Attempt {
  std::string id, job, state;  // offered, accepted, running, delivered, lost, canceled, invalid, rejected, failed
  std::string step;            // run, cut, chunk, join
  int step_index = 0;
  int number = 1;
  std::optional<std::string> node, worker, device;
  std::optional<UnixMillis> accepted_at, started_at, ended_at;
  double units = 0;
  json::value error;
};
json::object to_json(const Attempt& attempt);

struct JobFilter {
  std::optional<Status> status;
  std::optional<std::string> task, model, tag, end_user, client_ref, run;
  std::optional<UnixMillis> created_after, created_before;
};
// Keyset on (created_at, id): rows strictly after `after` (or before `before`) in the direction of `descending`.
struct PageKey {
  std::int64_t created_ms = 0;
  std::string id;
};
struct Page {
  int limit = 20;  // 1..100
  bool descending = true;
  std::optional<PageKey> after, before;
};
template <class T>
struct Listing {
  std::vector<T> data;
  bool has_more = false;
};

}  // namespace kinora::jobs
