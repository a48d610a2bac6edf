#pragma once
// The lines that kinora-media and kinora-runner's stream carry (docs/protocol.md 4, 6, 7): one JSON object each, told
// apart by "type". They come from a process that handled a stranger's bytes, so they are parsed as a stranger's.
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace kinora::proc {

inline constexpr std::size_t kMaxEventBytes = 8 << 20;  // the result of a ladder of 20 000 files; as tasks::kMaxEventBytes
inline constexpr std::size_t kMaxDetailBytes = 2000;    // a longer detail is cut

// {"type":"progress", ...}: the object as it came, with a fraction inside 0..1 (absent or wrong: 0).
struct ToolProgress {
  boost::json::object object;
};
// {"type":"result", ...}: the object as it came; the operation says what is in it.
struct ToolResult {
  boost::json::object object;
};
// {"type":"error","error":{...}}
struct ToolError {
  std::string code = "worker_error";  // stable, snake_case
  std::string fault = "worker";       // client, worker or platform
  bool retryable = true;
  std::string detail;
  friend bool operator==(const ToolError&, const ToolError&) = default;
};
// An object of another type, to be passed over.
struct ToolUnknown {};
using ToolEvent = std::variant<ToolProgress, ToolResult, ToolError, ToolUnknown>;

// invalid: no JSON object, or an error event without a proper "error"; too_large: past kMaxEventBytes.
base::Result<ToolEvent> parse_tool_event(std::string_view line);

}  // namespace kinora::proc
