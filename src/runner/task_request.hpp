#pragma once
// The body of POST /tasks/{task}, checked: the native API of docs/runner-api.md. Pure but for looking at paths.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "tasks/event.hpp"

namespace kinora::runner {

struct TaskRequest {
  std::string attempt;  // for logs
  std::string task;     // of the catalogue, with has_models
  std::optional<std::string> model;
  base::json::object params;                  // checked against the catalogue, defaults filled in
  std::map<std::string, std::string> inputs;  // by slot: absolute, resolved, under the work folder
  std::filesystem::path output_dir;           // absolute, under the work folder; made when absent
};

// Wrong JSON, unknown members, wrong parameters, paths outside work_dir (symbolic links followed): invalid, all reasons at once.
// A task that this runner does not serve: not_found.
base::Result<TaskRequest> parse_task_request(std::string_view task, std::string_view body, const std::filesystem::path& work_dir);

// True when the task is one that runs on a model here.
bool serves(std::string_view task);

}  // namespace kinora::runner
