#pragma once
// What a worker says while it works on an order: one JSON object per event (docs/protocol.md, section 4). The same objects are
// printed by kinora-media and sent by kinora-runner. Pure; parse_event() faces strangers.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "tasks/error_codes.hpp"

namespace kinora::tasks {

namespace json = base::json;

inline constexpr std::size_t kMaxEventBytes = 8 << 20;  // a result with kMaxResultFiles names; give it to the SSE parser
inline constexpr std::size_t kMaxResultFiles = 20'000;  // an HLS ladder of 3 renditions and 2 s segments: over 3 hours
inline constexpr std::size_t kMaxDetailBytes = 2000;
inline constexpr std::size_t kMaxPreviewBytes = 128 << 10;

struct Accepted {
  std::string worker;
  std::string device;
  std::int64_t queue_position = 0;
};

struct Progress {
  double fraction = 0;  // 0..1
  std::string stage;    // download, prepare, run, upload
  std::int64_t units_done = 0;
  std::int64_t units_total = 0;  // 0: unknown
  std::string unit;              // frame, byte, segment, step, pixel
  std::optional<double> fps;
  std::optional<double> eta_s;
  std::string preview = {};  // a small JPEG of what is being made, base64, at most kMaxPreviewBytes; empty: none
};

struct ResultFile {
  std::string slot;
  std::string name;  // is_file_name()
  std::int64_t bytes = 0;
  std::string sha256;  // 64 lower-case hex digits; may be empty in kinora-media's and the runner's own events
  std::string mime;
  json::value media;  // null or an object: what probe says
};

struct TaskResult {
  json::object outputs;
  std::vector<ResultFile> files;
  double seconds = 0;  // metrics: compute time
  double units = 0;    // metrics: units of work
};

struct TaskFailure {
  std::string code = "worker_error";  // one of error_codes.hpp
  Fault fault = Fault::worker;
  bool retryable = true;
  std::string detail;
};

using TaskEvent = std::variant<Accepted, Progress, TaskResult, TaskFailure>;

json::object to_json(const TaskEvent& event);
// The text of one event. nullopt: an object without `type` or of a type not known here, to be ignored. Errors: invalid, too_large.
base::Result<std::optional<TaskEvent>> parse_event(std::string_view text);

// A failure with the table's fault and retryable for that code.
TaskFailure failure(std::string_view code, std::string detail);

}  // namespace kinora::tasks
