#pragma once
// One task on a runner: POST /tasks/<task>, its event stream until the result (docs/protocol.md 6).
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "net/client.hpp"
#include "tasks/order.hpp"
#include "worker/outcome.hpp"
#include "worker/runner.hpp"

namespace kinora::worker {

// An input on this machine: slot and absolute path, in the order's order.
using LocalInputs = std::vector<std::pair<std::string, std::filesystem::path>>;
using ProgressReport = std::function<void(const tasks::Progress& progress)>;

// The body of POST /tasks/<task>. A slot that takes many becomes an array.
boost::json::object runner_request(const tasks::TaskOrder& order, const LocalInputs& inputs, const std::filesystem::path& output_dir);

// Cancelling closes the stream, which cancels the task. A stream that ends without a last word, and a runner that says nothing new for
// timings.runner_silence, are worker_error (retryable); it is restarted then.
net::Task<Outcome<tasks::TaskResult>> call_runner(Runner& runner, net::Client& client, const tasks::TaskOrder& order,
                                                  const LocalInputs& inputs, std::filesystem::path output_dir,
                                                  std::chrono::milliseconds silence, ProgressReport report);

}  // namespace kinora::worker
