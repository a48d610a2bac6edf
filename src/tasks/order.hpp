#pragma once
// The task order: what a gateway sends to a worker (docs/protocol.md, section 4).
//
// parse() faces strangers: types are strict, every size is limited, unknown members are tolerated (a newer gateway), an unknown task
// or wrong parameters are errors. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace kinora::tasks {

namespace json = base::json;

inline constexpr std::size_t kMaxOrderBytes = 1 << 20;
inline constexpr std::size_t kMaxOrderInputs = 1025;  // the source and 1024 chunks
inline constexpr std::size_t kMaxUrlBytes = 2048;
inline constexpr std::size_t kMaxModelBytes = 200;
inline constexpr std::int64_t kMaxDeadlineS = 86'400;
inline constexpr std::int64_t kMaxInputBytes = std::int64_t{1} << 40;

// One input file. The engine leaves `url` empty and names the blob by `sha256`; the executor fills in a signed URL.
struct OrderInput {
  std::string slot;
  std::string url;
  std::string name;  // a file name as the client gave it, for its extension; never a path
  std::optional<std::int64_t> bytes;
  std::optional<std::string> sha256;  // 64 lower-case hex digits
  friend bool operator==(const OrderInput&, const OrderInput&) = default;
};

// Where the worker puts its files: PUT <url><name>, Authorization: Bearer <token>.
struct UploadTarget {
  std::string url;
  std::string token;
  friend bool operator==(const UploadTarget&, const UploadTarget&) = default;
};

struct TaskOrder {
  std::string attempt;  // att_<ULID>
  std::string task;
  std::optional<std::string> model;
  json::object params;
  std::vector<OrderInput> inputs;
  std::optional<UploadTarget> upload;  // absent for a task without files
  std::optional<std::string> tls_pin;  // "sha256/<base64>" of the gateway's key
  std::int64_t deadline_s = 3600;      // from the order's arrival
};

json::object to_json(const TaskOrder& order);
// invalid: breaks a rule (all rules broken are named); too_large: past kMaxOrderBytes; unsupported: another version or unknown task.
// Params come back checked against the catalogue, defaults filled in.
base::Result<TaskOrder> parse_order(std::string_view text);

// An output file's name relative to the attempt: 1-200 characters of [A-Za-z0-9._/-], no "..", no empty segment, no leading or trailing
// '/'.
bool is_file_name(std::string_view name);
bool is_sha256(std::string_view text);  // 64 lower-case hex digits
// "video-upscale" or "video-upscale:kinora-sr2x": the capability name an order asks for.
std::string capability_name(const TaskOrder& order);

}  // namespace kinora::tasks
