#pragma once
// The body of POST /v1/runs (docs/workflows.md): a definition inline, or a saved workflow with arguments. Pure.
#include <optional>
#include <string>
#include <vector>

#include "jobs/subject_hook.hpp"
#include "runs/definition.hpp"

namespace kinora::runs {

inline constexpr std::int64_t kDefaultDeadlineS = 86'400;
inline constexpr std::int64_t kMaxDeadlineS = 604'800;

struct RunRequest {
  std::optional<std::string> workflow;
  std::optional<int> version;
  json::object definition;  // {steps, outputs?, defaults?, fail_fast?} when inline
  std::string name;
  json::object args, metadata;
  std::int64_t deadline_s = kDefaultDeadlineS;
  std::optional<std::string> client_ref, end_user;
  std::vector<std::string> tags;
  std::optional<jobs::SubjectHook> webhook;
};
jobs::Outcome<RunRequest> parse_run_request(const json::value& body);

// `args` against a saved workflow's args_schema, defaults filled in. Errors point below /args.
jobs::Outcome<json::object> check_args(const json::object& schema, const json::object& args);
// Is it a schema that check_args() understands in full? type, properties, required, additionalProperties, items, enum, default, minimum,
// maximum, minLength, maxLength, minItems, maxItems, title, description.
void check_args_schema(const json::object& schema, const std::string& pointer, base::FieldErrors& errors);

tasks::Problem problem_of(base::FieldErrors errors);

}  // namespace kinora::runs
