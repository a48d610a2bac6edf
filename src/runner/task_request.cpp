#include "runner/task_request.hpp"

#include <algorithm>

#include "runner/settings.hpp"
#include "tasks/catalogue.hpp"
#include "tasks/validation.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr std::size_t kMaxModelIdBytes = 200;  // as an order's

// The path with links resolved, as far as it exists, when it lies under `root`.
std::optional<fs::path> resolve_under(const fs::path& root, const std::string& path) {
  if (path.find('\0') != std::string::npos || !fs::path(path).is_absolute()) return std::nullopt;
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(path, failed);
  if (failed) return std::nullopt;
  const fs::path top = fs::weakly_canonical(root, failed);
  if (failed) return std::nullopt;
  const auto [root_end, rest] = std::mismatch(top.begin(), top.end(), whole.begin(), whole.end());
  return root_end == top.end() ? std::optional(whole) : std::nullopt;
}

std::string tell(const base::FieldErrors& errors) {
  std::string text;
  for (const auto& error : errors) text += (text.empty() ? "" : "; ") + error.pointer + ": " + error.detail;
  return text;
}

}  // namespace

bool serves(std::string_view task) {
  const tasks::TaskSpec* spec = tasks::find_task(task);
  return spec != nullptr && spec->has_models;
}

base::Result<TaskRequest> parse_task_request(std::string_view task, std::string_view body, const fs::path& work_dir) {
  const tasks::TaskSpec* spec = tasks::find_task(task);
  if (spec == nullptr || !serves(task)) return base::fail(ErrorCode::not_found, "this runner does not serve the task");
  KINORA_TRY(const auto value, base::parse_json(body, {.bytes = kMaxTaskBodyBytes}));

  base::FieldErrors errors;
  base::ObjectReader in(value, "", errors);
  TaskRequest request;
  request.task = task;
  request.attempt = in.string("attempt", 100).value_or("");
  request.model = in.string("model", kMaxModelIdBytes);
  const auto* params = in.member("params");
  const base::json::value none = base::json::object();
  request.params = tasks::validate_params(*spec, params != nullptr ? *params : none, "/params", errors);

  std::map<std::string, std::string> inputs;
  const auto* files = spec->inputs.empty() ? in.member("inputs") : in.required("inputs");
  if (files != nullptr) {
    base::ObjectReader reader(*files, "/inputs", errors);
    for (const tasks::InputSlot& slot : spec->inputs) {
      if (slot.required)
        inputs[std::string(slot.slot)] = reader.required_string(slot.slot);
      else if (auto path = reader.string(slot.slot))
        inputs[std::string(slot.slot)] = *std::move(path);
    }
    reader.finish();
  }
  const std::string output_dir = in.required_string("output_dir");
  in.finish();
  if (!errors.empty()) return base::fail(ErrorCode::invalid, tell(errors));

  for (const auto& [slot, path] : inputs) {
    if (const auto file = resolve_under(work_dir, path))
      request.inputs[slot] = file->string();
    else
      in.error("inputs", "not_allowed", slot + " must be an absolute path under the work folder");
  }
  if (const auto folder = resolve_under(work_dir, output_dir))
    request.output_dir = *folder;
  else
    in.error("output_dir", "not_allowed", "must be an absolute path under the work folder");
  if (!errors.empty()) return base::fail(ErrorCode::invalid, tell(errors));
  return request;
}

}  // namespace kinora::runner
