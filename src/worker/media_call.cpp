#include "worker/media_call.hpp"

#include "base/json.hpp"

namespace kinora::worker {
namespace {

tasks::TaskFailure failure_of(const proc::ToolError& error) {
  tasks::TaskFailure failure = tasks::failure(error.code, error.detail);
  if (const auto fault = tasks::parse_fault(error.fault)) failure.fault = *fault;
  failure.retryable = error.retryable;
  return failure;
}

// The tool names a file by its path inside the output folder; the protocol calls that its name.
void name_by_path(boost::json::object& result) {
  auto* files = result.if_contains("files");
  if (!files || !files->is_array()) return;
  for (auto& item : files->get_array()) {
    auto* file = item.if_object();
    if (!file) continue;
    if (const auto* path = file->if_contains("path")) {
      (*file)["name"] = boost::json::value(*path);
      file->erase("path");
    }
  }
}

}  // namespace

boost::json::object media_request(const tasks::TaskOrder& order, const LocalInputs& inputs, const std::filesystem::path& output_dir) {
  boost::json::object request = runner_request(order, inputs, output_dir);
  request.erase("model");
  return request;
}

net::Task<Outcome<tasks::TaskResult>> call_media(const proc::MediaTool& tool, const tasks::TaskOrder& order, const LocalInputs& inputs,
                                                 std::filesystem::path output_dir, ProgressReport report) {
  const auto on_progress = [&report](const boost::json::object& progress) {
    const auto event = tasks::parse_event(boost::json::serialize(progress));
    if (!event || !*event) return;
    if (const auto* known = std::get_if<tasks::Progress>(&**event)) report(*known);
  };
  proc::ToolOutcome outcome = co_await tool.run(order.task, media_request(order, inputs, output_dir), on_progress);
  if (const proc::ToolError* error = outcome.error()) co_return failed(failure_of(*error));
  boost::json::object result = *outcome.result();
  name_by_path(result);
  auto event = tasks::parse_event(boost::json::serialize(result));
  if (!event) co_return failed("worker_error", "kinora-media's result is not understood: " + event.error().message);
  auto* known = *event ? std::get_if<tasks::TaskResult>(&**event) : nullptr;
  if (!known) co_return failed("worker_error", "kinora-media's result is not understood");
  co_return std::move(*known);
}

}  // namespace kinora::worker
