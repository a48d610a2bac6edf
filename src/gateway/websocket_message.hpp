#pragma once
// The frames of GET /v1/ws (developer-api 5.7). Pure.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "tasks/error_codes.hpp"

namespace kinora::gateway {

namespace json = base::json;

inline constexpr std::size_t kMaxTopics = 100;  // of a connection
inline constexpr std::size_t kMaxSubIdBytes = 64;

namespace ws {
// The subject of a topic: "job:job_.." -> "job_..", "account" -> "" (the whole project).
struct Topic {
  std::string name;
  std::string subject;
};
struct Subscribe {
  std::string id;
  std::vector<Topic> topics;
  std::optional<std::int64_t> after;
};
struct Unsubscribe {
  std::string id;
};
struct Ping {
  std::string id;  // may be empty
};
}  // namespace ws
using WsRequest = std::variant<ws::Subscribe, ws::Unsubscribe, ws::Ping>;

struct WsRefusal {
  std::string id;  // of the message, when it had one
  tasks::Problem problem;
};
// {op:"sub", id, topics, after?} | {op:"unsub", id} | {op:"ping", id?}
tl::expected<WsRequest, WsRefusal> parse_ws_request(std::string_view text);

std::string ws_ack(std::string_view id, std::optional<std::int64_t> offset = {});
std::string ws_error(std::string_view id, const tasks::Problem& problem);
// `envelope`: JSON text.
std::string ws_event(std::string_view sub, std::int64_t offset, std::string_view envelope);
// A binary frame: big-endian u32 length of the header, JSON header {subject, mime, step, at}, the picture. data: of a job.preview.
std::string ws_preview(std::string_view subject, const json::value& data, std::string_view picture);
std::string ws_end(std::string_view sub, std::string_view topic);

}  // namespace kinora::gateway
