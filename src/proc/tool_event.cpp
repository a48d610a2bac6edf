#include "proc/tool_event.hpp"

#include <algorithm>
#include <array>

#include "base/json.hpp"

namespace kinora::proc {
namespace {

using base::ErrorCode;
using base::fail;
constexpr std::size_t kMaxCodeBytes = 64;

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCodeBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// Cuts at a character's start, so that the text stays UTF-8.
std::string cut(std::string_view text, std::size_t max) {
  if (text.size() <= max) return std::string(text);
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  return std::string(text.substr(0, max));
}

std::string_view text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

base::Result<ToolEvent> parse_error(const boost::json::object& event) {
  const auto* value = event.if_contains("error");
  if (!value || !value->is_object()) return fail(ErrorCode::invalid, "an error event without its error");
  const auto& error = value->get_object();
  const auto code = text_of(error, "code");
  const auto fault = text_of(error, "fault");
  const auto* retryable = error.if_contains("retryable");
  constexpr std::array<std::string_view, 3> kFaults = {"client", "worker", "platform"};
  if (!is_code(code) || std::find(kFaults.begin(), kFaults.end(), fault) == kFaults.end()) {
    return fail(ErrorCode::invalid, "an error event without a proper code and fault");
  }
  return ToolError{.code = std::string(code),
                   .fault = std::string(fault),
                   .retryable = retryable && retryable->is_bool() ? retryable->get_bool() : fault != "client",
                   .detail = cut(text_of(error, "detail"), kMaxDetailBytes)};
}

}  // namespace

base::Result<ToolEvent> parse_tool_event(std::string_view line) {
  KINORA_TRY(boost::json::value value, base::parse_json(line, {.bytes = kMaxEventBytes}));
  if (!value.is_object()) return fail(ErrorCode::invalid, "an event that is no object");
  auto& object = value.get_object();
  const auto type = text_of(object, "type");
  if (type == "error") return parse_error(object);
  if (type == "result") return ToolResult{std::move(object)};
  if (type != "progress") return ToolUnknown{};
  double fraction = 0;
  if (const auto* given = object.if_contains("fraction"); given && given->is_number()) fraction = given->to_number<double>();
  object["fraction"] = fraction >= 0 && fraction <= 1 ? fraction : (fraction > 1 ? 1.0 : 0.0);
  return ToolProgress{std::move(object)};
}

}  // namespace kinora::proc
