#pragma once
// One task in kinora-media: the order as its request, its result as the protocol's (docs/protocol.md 7, docs/media.md).
#include <filesystem>
#include <string>

#include "proc/media_tool.hpp"
#include "worker/runner_call.hpp"

namespace kinora::worker {

// The request of operation `order.task`. `deadline` bounds the process's life.
boost::json::object media_request(const tasks::TaskOrder& order, const LocalInputs& inputs, const std::filesystem::path& output_dir);

// Cancelling ends the process (SIGTERM, then SIGKILL) before it returns. Failures: what kinora-media says, and MediaTool's.
net::Task<Outcome<tasks::TaskResult>> call_media(const proc::MediaTool& tool, const tasks::TaskOrder& order, const LocalInputs& inputs,
                                                 std::filesystem::path output_dir, ProgressReport report);

}  // namespace kinora::worker
