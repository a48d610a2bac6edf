#include "gateway/job_body.hpp"

#include <algorithm>
#include <charconv>

namespace kinora::gateway {
namespace {

std::string_view text_member(const json::value& body, std::string_view key) {
  if (!body.is_object()) return {};
  const json::value* found = body.as_object().if_contains(key);
  return found != nullptr && found->is_string() ? std::string_view(found->as_string()) : std::string_view();
}

}  // namespace

void replace_media(json::value& body, std::string_view pointer, const std::string& artifact) {
  boost::system::error_code error;
  json::value* place = body.find_pointer(pointer, error);
  if (place != nullptr) *place = json::object{{"artifact", artifact}};
}

jobs::Outcome<void> check_key_limits(const json::value& body, const Caller& caller) {
  const auto task = text_member(body, "task");
  const auto model = text_member(body, "model");
  const auto allows = [](const std::vector<std::string>& list, std::string_view item) {
    return list.empty() || std::ranges::find(list, item) != list.end();
  };
  if (!allows(caller.tasks, task))
    return jobs::refuse("forbidden", "this API key may not use the task " + (task.empty() ? "that it did not name" : std::string(task)));
  if (!allows(caller.models, model.substr(0, std::min(model.find('@'), model.size()))))
    return jobs::refuse("model_not_allowed", "this API key is for other models; name one of them");
  return {};
}

std::chrono::seconds wanted_wait(const json::value& body, std::optional<std::string_view> prefer) {
  if (body.is_object())
    if (const json::value* wait = body.as_object().if_contains("wait_s"); wait != nullptr && wait->is_int64())
      return std::clamp(std::chrono::seconds{wait->as_int64()}, std::chrono::seconds{0}, kMaxWait);
  if (!prefer) return std::chrono::seconds{0};
  for (std::string_view rest = *prefer; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    if (!item.starts_with("wait=")) continue;
    int seconds = 0;
    const auto [end, error] = std::from_chars(item.data() + 5, item.data() + item.size(), seconds);
    if (error == std::errc{} && seconds >= 0) return std::min(std::chrono::seconds{seconds}, kMaxWait);
  }
  return std::chrono::seconds{0};
}

}  // namespace kinora::gateway
