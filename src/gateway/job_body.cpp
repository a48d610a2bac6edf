#include "gateway/job_body.hpp"

#include <algorithm>
#include <charconv>

#include "tasks/catalogue.hpp"

namespace kinora::gateway {
namespace {

std::string_view text_member(const json::value& body, std::string_view key) {
  if (!body.is_object()) return {};
  const json::value* found = body.as_object().if_contains(key);
  return found != nullptr && found->is_string() ? std::string_view(found->as_string()) : std::string_view();
}

bool holds_data_uri(const json::value& value) { return value.is_string() && value.as_string().starts_with("data:"); }

}  // namespace

std::vector<InlineMedia> find_inline_media(const json::value& body, base::FieldErrors& errors) {
  std::vector<InlineMedia> found;
  const tasks::TaskSpec* task = tasks::find_task(text_member(body, "task"));
  if (task == nullptr) return found;
  const json::value* input = body.as_object().if_contains("input");
  if (input == nullptr || !input->is_object()) return found;
  const auto take = [&](const json::value& value, std::string_view slot, std::optional<std::size_t> index) {
    if (!holds_data_uri(value)) return;
    auto data = parse_data_uri(std::string_view(value.as_string()));
    if (data) {
      found.push_back({std::string(slot), index, std::move(*data)});
      return;
    }
    std::string pointer = "/input/" + std::string(slot) + (index ? "/" + std::to_string(*index) : std::string());
    errors.push_back(
        {std::move(pointer), data.error().code == base::ErrorCode::too_large ? "too_high" : "invalid_field", data.error().message});
  };
  for (const auto& slot : task->inputs) {
    const json::value* value = input->as_object().if_contains(slot.slot);
    if (value == nullptr) continue;
    if (!slot.many) {
      take(*value, slot.slot, std::nullopt);
    } else if (value->is_array()) {
      for (std::size_t i = 0; i < value->as_array().size(); ++i) take(value->as_array()[i], slot.slot, i);
    }
  }
  return found;
}

void replace_inline_media(json::value& body, const InlineMedia& media, const std::string& artifact) {
  json::value& slot = body.as_object()["input"].as_object()[media.slot];
  (media.index ? slot.as_array()[*media.index] : slot) = json::object{{"artifact", artifact}};
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
