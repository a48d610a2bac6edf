// Messages of GET /v1/ws: refused with a problem that can be shown, or read into something within its limits.
#include <cstdint>

#include "base/check.hpp"
#include "gateway/websocket_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::gateway;
  const auto request = parse_ws_request(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!request) {
    KINORA_CHECK(json::parse(ws_error(request.error().id, request.error().problem)).is_object());
  } else if (const auto* subscribe = std::get_if<ws::Subscribe>(&*request)) {
    KINORA_CHECK(!subscribe->topics.empty() && subscribe->topics.size() <= kMaxTopics && !subscribe->id.empty());
    KINORA_CHECK(json::parse(ws_event(subscribe->id, 1, "{}")).at("sub").as_string() == subscribe->id);
  }
  return 0;
}
