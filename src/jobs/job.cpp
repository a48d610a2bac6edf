#include "jobs/job.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/time.hpp"

namespace kinora::jobs {
namespace {

template <class Enum, std::size_t Size>
struct Names {
  std::array<std::string_view, Size> names;
  std::string_view of(Enum value) const { return names[static_cast<std::size_t>(value)]; }
  std::optional<Enum> parse(std::string_view text) const {
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
  }
};

constexpr Names<Status, 6> kStatuses{{"queued", "running", "succeeded", "failed", "canceled", "expired"}};
constexpr Names<Phase, 11> kPhases{{"accepted", "awaiting_input", "queued", "dispatching", "retry_wait", "preparing", "running",
                                    "verifying", "finalizing", "canceling", "done"}};
constexpr Names<Priority, 4> kPriorities{{"low", "normal", "high", "realtime"}};

json::value text_or_null(const std::optional<std::string>& text) { return text ? json::value(*text) : json::value(nullptr); }
json::value time_or_null(const std::optional<UnixMillis>& time) {
  return time ? json::value(base::to_rfc3339(*time)) : json::value(nullptr);
}
json::value span_ms(const std::optional<UnixMillis>& from, const std::optional<UnixMillis>& to) {
  if (!from || !to) return nullptr;
  return (*to - *from).count();
}

json::object zero() { return {{"currency", "USD"}, {"amount", "0"}}; }

std::optional<UnixMillis> first_of(std::initializer_list<std::optional<UnixMillis>> times) {
  for (const auto& time : times)
    if (time) return time;
  return std::nullopt;
}

// How long the job was in each stretch of its life; null until that stretch is over.
json::object timing(const Job& job) {
  json::object out;
  out["created_at"] = base::to_rfc3339(job.created_at);
  out["queued_ms"] = span_ms(job.created_at, first_of({job.preparing_at, job.running_at, job.completed_at}));
  out["preparing_ms"] = span_ms(job.preparing_at, first_of({job.running_at, job.completed_at}));
  out["running_ms"] = span_ms(job.running_at, first_of({job.verifying_at, job.completed_at}));
  out["verifying_ms"] = span_ms(job.verifying_at, first_of({job.finalizing_at, job.completed_at}));
  out["finalizing_ms"] = span_ms(job.finalizing_at, job.completed_at);
  out["completed_at"] = time_or_null(job.completed_at);
  out["expires_at"] = time_or_null(job.expires_at);
  out["deadline"] = base::to_rfc3339(job.deadline_at);
  return out;
}

json::value progress(const Job& job) {
  if (job.progress.empty()) return nullptr;
  json::object out{{"fraction", 0},           {"stage", ""},          {"stage_index", 0}, {"stages", 1},
                   {"units_done", 0},         {"units_total", 0},     {"unit", ""},       {"eta_s", nullptr},
                   {"eta_confidence", "low"}, {"updated_at", nullptr}};
  for (const auto& member : job.progress)
    if (member.key() != "previews") out[member.key()] = member.value();
  return out;
}

}  // namespace

std::string_view name(Status status) { return kStatuses.of(status); }
std::string_view name(Phase phase) { return kPhases.of(phase); }
std::string_view name(Priority priority) { return kPriorities.of(priority); }
std::optional<Status> parse_status(std::string_view text) { return kStatuses.parse(text); }
std::optional<Phase> parse_phase(std::string_view text) { return kPhases.parse(text); }
std::optional<Priority> parse_priority(std::string_view text) { return kPriorities.parse(text); }

json::object to_json(const Job& job, const Links& links, UnixMillis now, std::int64_t queue_position, std::optional<double> queue_eta_s) {
  json::object out;
  out["id"] = job.id;
  out["object"] = "job";
  out["version"] = job.version;
  out["task"] = job.task;
  out["model"] = text_or_null(job.model);
  out["resolved_model"] =
      job.resolved_model ? json::value{{"id", *job.resolved_model}, {"digest", text_or_null(job.weights)}} : json::value(nullptr);
  out["status"] = name(job.status);
  out["phase"] = name(job.phase);
  out["status_reason"] = text_or_null(job.status_reason);
  out["progress"] = progress(job);
  out["queue"] = queue_position > 0 ? json::value{{"position", queue_position},
                                                  {"ahead_cost_s", nullptr},
                                                  {"eta_s", queue_eta_s ? json::value(*queue_eta_s) : json::value(nullptr)},
                                                  {"lane", name(job.priority)}}
                                    : json::value(nullptr);
  out["preparation"] = nullptr;
  out["heartbeat_age_ms"] =
      job.heartbeat_at && !terminal(job.status) ? json::value((now - *job.heartbeat_at).count()) : json::value(nullptr);
  out["attempt"] = job.attempt.empty() ? json::value(nullptr) : json::value(job.attempt);
  out["input"] = job.input;
  out["output"] = job.output;
  if (out["output"].is_object()) add_urls(out["output"], links);
  const json::value* previews = job.progress.if_contains("previews");
  out["previews"] = previews != nullptr ? *previews : json::value(json::array());
  out["error"] = job.error;
  out["cost"] = {{"quoted", nullptr}, {"reserved", zero()}, {"charged", zero()}, {"final", terminal(job.status)}};
  out["timing"] = timing(job);
  out["parent"] = job.parent ? json::object{{"run", job.parent->run}, {"step", job.parent->step}, {"index", job.parent->index}}
                             : json::object{{"run", nullptr}, {"step", nullptr}, {"index", nullptr}};
  out["retry_of"] = text_or_null(job.retry_of);
  out["batch"] = nullptr;
  out["trace_id"] = text_or_null(job.trace_id);
  out["client_ref"] = text_or_null(job.client_ref);
  out["end_user"] = text_or_null(job.end_user);
  out["tags"] = json::value_from(job.tags);
  out["metadata"] = job.metadata;
  if (job.ephemeral) out["ephemeral"] = true;
  if (job.data_removed) out["data_removed"] = true;
  const std::string self = "/v1/jobs/" + job.id;
  out["urls"] = {{"self", links.absolute(self)},
                 {"events", links.absolute(self + "/events")},
                 {"cancel", links.absolute(self + "/cancel")},
                 {"web", nullptr}};
  return out;
}

json::object event_data(const Job& job) {
  json::object out{{"id", job.id},
                   {"object", "job"},
                   {"version", job.version},
                   {"task", job.task},
                   {"status", name(job.status)},
                   {"phase", name(job.phase)}};
  out["progress"] = progress(job);
  if (!job.attempt.empty()) out["attempt"] = job.attempt;
  if (!job.error.is_null()) out["error"] = job.error;
  if (job.status == Status::succeeded) out["output"] = job.output;
  return out;
}

void add_urls(json::value& value, const Links& links) {
  if (json::array* items = value.if_array()) {
    for (json::value& item : *items) add_urls(item, links);
    return;
  }
  json::object* object = value.if_object();
  if (object == nullptr) return;
  for (auto& member : *object) add_urls(member.value(), links);
  const json::value* artifact = object->if_contains("artifact");
  if (artifact == nullptr || !artifact->is_string() || !object->contains("sha256")) return;
  const json::value* file = object->if_contains("file");
  const SignedUrl url = links.content(std::string_view(artifact->get_string()),
                                      file != nullptr && file->is_string() ? std::string_view(file->get_string()) : "");
  (*object)["url"] = url.url;
  (*object)["url_expires_at"] = url.expires_at;
}

std::int64_t poll_after_ms(const Job& job, std::optional<double> queue_eta_s) {
  if (terminal(job.status)) return 0;
  const json::value* eta = job.progress.if_contains("eta_s");
  const bool told = eta != nullptr && eta->is_number();
  if (!told && !queue_eta_s) return job.status == Status::queued ? 1000 : 500;
  const double left_s = told ? eta->to_number<double>() : *queue_eta_s;
  if (left_s < 10) return 500;
  return static_cast<std::int64_t>(std::clamp(left_s / 20, 1.0, 15.0) * 1000);
}

json::object to_json(const Attempt& attempt) {
  return {{"id", attempt.id},
          {"object", "attempt"},
          {"job", attempt.job},
          {"step", attempt.step},
          {"index", attempt.step_index},
          {"number", attempt.number},
          {"replica", attempt.step == "run" ? attempt.step_index : 0},
          {"worker", text_or_null(attempt.worker)},
          {"node", text_or_null(attempt.node)},
          {"region", nullptr},
          {"hardware", text_or_null(attempt.device)},
          {"price", zero()},
          {"state", attempt.state},
          {"accepted_at", time_or_null(attempt.accepted_at)},
          {"started_at", time_or_null(attempt.started_at)},
          {"ended_at", time_or_null(attempt.ended_at)},
          {"units", attempt.units},
          {"network_cost", zero()},
          {"verification", nullptr},
          {"error", attempt.error}};
}

}  // namespace kinora::jobs
