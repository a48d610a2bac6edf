#include "runner/task_request.hpp"

#include <algorithm>

#include "runner/settings.hpp"
#include "tasks/catalogue.hpp"
#include "tasks/validation.hpp"

namespace kinora::runner {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

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

bool serves(std::string_view task) { return task == "video-upscale" || task == "image-upscale"; }

base::Result<TaskRequest> parse_task_request(std::string_view task, std::string_view body, const fs::path& work_dir) {
  const tasks::TaskSpec* spec = tasks::find_task(task);
  if (spec == nullptr || !serves(task)) return base::fail(ErrorCode::not_found, "this runner does not serve the task");
  KINORA_TRY(const auto value, base::parse_json(body, {.bytes = kMaxTaskBodyBytes}));

  base::FieldErrors errors;
  base::ObjectReader in(value, "", errors);
  TaskRequest request;
  request.task = task;
  request.attempt = in.string("attempt", 100).value_or("");
  request.model = in.string("model", 64);
  const auto* params = in.member("params");
  const base::json::value none = base::json::object();
  request.params = tasks::validate_params(*spec, params != nullptr ? *params : none, "/params", errors);

  const std::string_view slot = spec->inputs.front().slot;
  std::string input;
  if (const auto* inputs = in.required("inputs")) {
    base::ObjectReader files(*inputs, "/inputs", errors);
    input = files.required_string(slot);
    files.finish();
  }
  const std::string output_dir = in.required_string("output_dir");
  in.finish();
  if (!errors.empty()) return base::fail(ErrorCode::invalid, tell(errors));

  const auto file = resolve_under(work_dir, input);
  const auto folder = resolve_under(work_dir, output_dir);
  if (!file) in.error("inputs", "not_allowed", "must be an absolute path under the work folder");
  if (!folder) in.error("output_dir", "not_allowed", "must be an absolute path under the work folder");
  if (!errors.empty()) return base::fail(ErrorCode::invalid, tell(errors));
  request.input = file->string();
  request.output_dir = *folder;
  return request;
}

}  // namespace kinora::runner
