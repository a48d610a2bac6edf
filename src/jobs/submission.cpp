#include "jobs/submission.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/nearest.hpp"
#include "base/time.hpp"
#include "jobs/redundancy.hpp"
#include "tasks/validation.hpp"

namespace kinora::jobs {
namespace {

using base::FieldErrors;
using base::ObjectReader;

constexpr std::int64_t kMaxRetentionS = 10LL * 365 * 86'400;

template <class T>
void choose(ObjectReader& in, std::string_view key, std::optional<T> (*parse)(std::string_view), T& out, std::string_view allowed) {
  const auto text = in.string(key, 32);
  if (!text) return;
  if (const auto value = parse(*text))
    out = *value;
  else
    in.error(key, "not_allowed", std::string(allowed));
}

bool makes_pictures(const tasks::TaskSpec& task) {
  return std::ranges::any_of(task.outputs, [](const tasks::OutputSlot& slot) {
    return slot.file && (slot.kind == tasks::MediaKind::image || slot.kind == tasks::MediaKind::video);
  });
}

void read_requirements(ObjectReader& body, Submission& out, FieldErrors& errors) {
  if (body.object("requirements") == nullptr) return;
  const json::value& value = *body.member("requirements");
  ObjectReader in(value, body.pointer("requirements"), errors);
  out.requirements = value.as_object();
  out.deadline_s = in.integer("deadline_s", 1, kMaxDeadlineS);
  if (const auto text = in.string("deadline", 64)) {
    const auto time = base::from_rfc3339(*text);
    if (!time)
      in.error("deadline", "invalid_field", "must be an RFC 3339 time");
    else
      out.deadline = *time;
  }
  out.start_timeout_s = in.integer("start_timeout_s", 1, kMaxDeadlineS);
  in.boolean("count_preparation");
  choose(in, "priority", parse_priority, out.priority, "must be one of \"low\", \"normal\", \"high\", \"realtime\"");
  if (in.object("redundancy") != nullptr) {
    ObjectReader redundancy(*in.member("redundancy"), in.pointer("redundancy"), errors);
    redundancy.integer("replicas", 1, kMaxReplicas);
    if (const auto mode = redundancy.string("mode", 32); mode && !parse_redundancy_mode(*mode))
      redundancy.error("mode", "not_allowed", "must be one of \"first_valid\", \"quorum\", \"best_score\"");
    else if (mode == "best_score" && out.task != nullptr && !makes_pictures(*out.task))
      redundancy.error("mode", "not_allowed",
                       "\"best_score\" measures pictures, and this task makes none: take \"first_valid\" or \"quorum\"");
    redundancy.finish();
  }
  if (in.object("verification") != nullptr) {
    ObjectReader verification(*in.member("verification"), in.pointer("verification"), errors);
    if (const auto level = verification.string("level", 32);
        level && *level != "none" && *level != "checksum" && *level != "structural" && *level != "perceptual")
      verification.error("level", "not_allowed", "must be one of \"none\", \"checksum\", \"structural\", \"perceptual\"");
    verification.number("sample_rate", 0, 1);
    const std::string on_fail = verification.string("on_fail", 32).value_or("fail");
    if (on_fail != "retry_elsewhere" && on_fail != "fail" && on_fail != "deliver_flagged")
      verification.error("on_fail", "not_allowed", "must be one of \"retry_elsewhere\", \"fail\", \"deliver_flagged\"");
    if (on_fail == "deliver_flagged" && redundancy_of(out.requirements).replicas > 1)
      verification.error("on_fail", "not_allowed", "\"deliver_flagged\" is for one replica: of several, results that verify are chosen");
    verification.finish();
  }
  in.finish();
}

void read_output(ObjectReader& body, Submission& out, FieldErrors& errors) {
  if (body.object("output") == nullptr) return;
  const json::value& value = *body.member("output");
  ObjectReader in(value, body.pointer("output"), errors);
  out.output_options = value.as_object();
  out.retention_s = in.integer("retention_s", 3600, kMaxRetentionS);
  if (in.object("destination") != nullptr) {
    ObjectReader destination(*in.member("destination"), in.pointer("destination"), errors);
    if (destination.required_string("type", 32) != "managed") destination.error("type", "not_allowed", "must be \"managed\"");
    destination.finish();
  }
  in.finish();
}

void read_retry(ObjectReader& body, Submission& out, FieldErrors& errors) {
  if (body.object("retry") == nullptr) return;
  ObjectReader in(*body.member("retry"), body.pointer("retry"), errors);
  RetryPolicy& retry = out.retry;
  retry.max_attempts = static_cast<int>(in.integer("max_attempts", 1, 10).value_or(retry.max_attempts));
  retry.initial_ms = in.integer("initial_ms", 0, 60'000).value_or(retry.initial_ms);
  retry.coefficient = in.number("coefficient", 1, 10).value_or(retry.coefficient);
  retry.max_ms = in.integer("max_ms", 0, 600'000).value_or(retry.max_ms);
  if (const json::array* on = in.array("on", 3)) {
    retry.on.clear();
    for (std::size_t i = 0; i < on->size(); ++i) {
      const json::string* text = (*on)[i].if_string();
      if (text != nullptr && (*text == "platform" || *text == "worker" || *text == "network"))
        retry.on.emplace_back(*text);
      else
        errors.push_back(
            {fmt::format("{}/{}", in.pointer("on"), i), "not_allowed", "must be one of \"platform\", \"worker\", \"network\""});
    }
  }
  in.finish();
}

void read_labels(ObjectReader& in, Submission& out, FieldErrors& errors) {
  out.client_ref = in.string("client_ref", 255);
  out.end_user = in.string("end_user", 255);
  out.tags = read_tags(in, errors).value_or(std::vector<std::string>());
  out.metadata = read_metadata(in, errors).value_or(json::object());
}

tasks::Problem task_not_found(const std::string& name) {
  std::vector<std::string> names;
  for (const tasks::TaskSpec& task : tasks::catalogue())
    if (!task.internal) names.emplace_back(task.name);
  const auto meant = base::nearest(name, names);
  tasks::Problem problem;
  problem.code = "task_not_found";
  problem.detail = "there is no task \"" + name.substr(0, 64) + "\"" + (meant ? "; did you mean \"" + *meant + "\"?" : "");
  problem.errors.push_back({"/task", "not_allowed", problem.detail});
  return problem;
}

tasks::Problem wrong(FieldErrors errors) {
  const auto outside =
      std::find_if(errors.begin(), errors.end(), [](const base::FieldError& error) { return !error.pointer.starts_with("/input"); });
  tasks::Problem problem;
  if (outside == errors.end())
    problem.code = "schema_invalid";
  else if (outside->code == "unknown_field" || outside->code == "missing_field")
    problem.code = outside->code;
  else
    problem.code = "invalid_field";
  const base::FieldError& first = outside == errors.end() ? errors.front() : *outside;
  problem.detail = first.pointer + " " + first.detail;
  if (errors.size() > 1) problem.detail += fmt::format(" (and {} more)", errors.size() - 1);
  problem.errors = std::move(errors);
  return problem;
}

}  // namespace

std::optional<std::vector<std::string>> read_tags(ObjectReader& in, FieldErrors& errors) {
  const json::array* tags = in.array("tags", kMaxTags);
  if (tags == nullptr) return std::nullopt;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < tags->size(); ++i) {
    const json::string* text = (*tags)[i].if_string();
    if (text != nullptr && !text->empty() && text->size() <= kMaxTagBytes)
      out.emplace_back(*text);
    else
      errors.push_back(
          {fmt::format("{}/{}", in.pointer("tags"), i), "invalid_field", fmt::format("must be a text of 1 to {} bytes", kMaxTagBytes)});
  }
  return out;
}

std::optional<json::object> read_metadata(ObjectReader& in, FieldErrors& errors) {
  const json::object* metadata = in.object("metadata");
  if (metadata == nullptr) return std::nullopt;
  if (metadata->size() > kMaxMetadata) in.error("metadata", "too_high", fmt::format("must have at most {} members", kMaxMetadata));
  for (const auto& member : *metadata)
    if (!member.value().is_string() || member.value().get_string().size() > kMaxMetadataBytes || member.key().size() > kMaxTagBytes)
      errors.push_back({in.pointer("metadata") + "/" + std::string(member.key()), "invalid_field",
                        fmt::format("must be a text of at most {} bytes under a name of at most {}", kMaxMetadataBytes, kMaxTagBytes)});
  return *metadata;
}

// A job may name its adapters beside its input; they are one of the task's parameters. True: they were put there.
bool place_adapters(const json::value& adapters, const tasks::TaskSpec* task, ObjectReader& in, json::value& input) {
  if (task == nullptr || !input.is_object()) return false;  // told elsewhere
  if (task->find_param("adapters") == nullptr) {
    in.error("adapters", "not_allowed", "this task takes no adapters");
    return false;
  }
  if (input.get_object().contains("adapters")) {
    in.error("adapters", "not_allowed", "are named in input as well");
    return false;
  }
  input.get_object()["adapters"] = adapters;
  return true;
}

Outcome<Submission> parse_submission(const json::value& body) {
  FieldErrors errors;
  Submission out;
  ObjectReader in(body, "", errors);
  const std::string task = in.required_string("task", 64);
  out.task = tasks::find_task(task);
  if (out.task != nullptr && out.task->internal) out.task = nullptr;
  out.model = in.string("model", 200);
  if (out.model && out.task != nullptr && !out.task->has_models && *out.model != "auto")
    in.error("model", "not_allowed", "this task has no models");
  const json::value* given = in.member("input");
  json::value input = given != nullptr ? *given : json::object();
  const json::value* adapters = in.member("adapters");
  const bool placed = adapters != nullptr && place_adapters(*adapters, out.task, in, input);
  if (out.task != nullptr) {
    tasks::SplitInput split = tasks::validate_input(*out.task, input, "/input", errors);
    constexpr std::string_view kInput = "/input", kAdapters = "/input/adapters";
    for (auto& error : errors)
      if (placed && error.pointer.starts_with(kAdapters)) error.pointer.erase(0, kInput.size());  // where the client wrote them
    out.params = std::move(split.params);
    out.media = read_media(*out.task, split.media, errors);
    if (input.is_object()) out.input = std::move(input.get_object());
  } else if (given != nullptr) {
    in.object("input");  // of an unknown task: a kind at least
  } else if (body.is_object() && task.empty()) {
    in.error("input", "missing_field", "is required: what the task works on");
  }
  read_requirements(in, out, errors);
  read_output(in, out, errors);
  read_retry(in, out, errors);
  read_labels(in, out, errors);
  out.webhook = read_subject_hook(in, "webhook", errors);
  out.wait_s = static_cast<int>(in.integer("wait_s", 0, 60).value_or(0));
  out.ephemeral = in.boolean("ephemeral").value_or(false);
  if (out.ephemeral && out.wait_s == 0 && !out.webhook)
    in.error("ephemeral", "not_allowed", "needs `wait_s` or a `webhook`: somebody has to fetch the result before it goes");
  if (out.ephemeral && out.retention_s) in.error("ephemeral", "not_allowed", "leaves no choice of output.retention_s");
  in.finish();
  if (!task.empty() && out.task == nullptr) {
    tasks::Problem problem = task_not_found(task);
    std::move(errors.begin(), errors.end(), std::back_inserter(problem.errors));
    return tl::unexpected<tasks::Problem>(std::move(problem));
  }
  if (!errors.empty()) return tl::unexpected<tasks::Problem>(wrong(std::move(errors)));
  return out;
}

}  // namespace kinora::jobs
