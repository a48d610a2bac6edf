#pragma once
// Runs kinora-media, one process per operation (docs/protocol.md 7, docs/media.md): request on its standard input, events
// from its standard output. Whatever happens to the process comes back as data: a result, or a ToolError.
//
//   MediaTool tool(executor, {.program = find_program("kinora-media")});
//   const ToolOutcome outcome = co_await tool.run("probe", {{"input", path}});
//   if (const auto* error = outcome.error()) ...
//
// Cancelling the awaiting coroutine sends SIGTERM, then SIGKILL after `grace`, waits for the end of the process (so its
// files are no longer written to), and then throws operation_aborted.
// A crash or a kill by a limit is worker_error, retryable; no line for `silence` is a hang: killed, worker_error, retryable;
// `wall_clock` passed: killed, "worker_timeout", retryable.
#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <variant>
#include <vector>

#include "proc/process.hpp"
#include "proc/tool_event.hpp"

namespace kinora::proc {

// What one operation may use; kinora-media puts the first three on itself before it reads a byte ("limits" in the request).
struct ToolLimits {
  std::uint64_t memory_bytes = 4ull << 30;
  std::uint64_t cpu_s = 4 * 3600;
  std::uint64_t file_bytes = 64ull << 30;
  std::chrono::seconds wall_clock{6 * 3600};
};

struct MediaToolSettings {
  std::filesystem::path program;
  ToolLimits limits{};
  std::vector<int> cpus{};  // empty: all
  int nice = 5;             // below the network threads
  std::chrono::milliseconds silence{30'000};
  std::chrono::milliseconds grace{2'000};
};

struct ToolOutcome {
  std::variant<ToolResult, ToolError> value;
  const boost::json::object* result() const;  // null on error
  const ToolError* error() const;             // null on success
};

// Called for every progress event, in order, on the executor's thread; must not block.
using ProgressSink = std::function<void(const boost::json::object& progress)>;

class MediaTool {
 public:
  MediaTool(boost::asio::any_io_executor executor, MediaToolSettings settings);
  // `request` gets "limits" added unless it has it. Several may run at once; each is its own process.
  Task<ToolOutcome> run(std::string operation, boost::json::object request, ProgressSink on_progress = {}) const;
  const MediaToolSettings& settings() const { return settings_; }

 private:
  boost::asio::any_io_executor executor_;
  MediaToolSettings settings_;
};

}  // namespace kinora::proc
