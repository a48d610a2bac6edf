#include "gateway/job_body.hpp"

#include <algorithm>
#include <charconv>

#include "jobs/submission.hpp"

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

std::pair<std::string, std::string> named_model(const json::value& body) {
  const auto task = text_member(body, "task"), model = text_member(body, "model");
  const tasks::TaskSpec* spec = tasks::find_task(task);
  if (spec == nullptr || spec->internal || !spec->has_models || model.empty() || model.starts_with("auto")) return {};
  return {std::string(task), std::string(model)};
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

jobs::JobPatch read_job_patch(const json::value& body, base::FieldErrors& errors) {
  jobs::JobPatch out;
  base::ObjectReader in(body, "", errors);
  out.tags = jobs::read_tags(in, errors);
  out.metadata = jobs::read_metadata(in, errors);
  if (const auto text = in.string("priority", 32)) {
    out.priority = jobs::parse_priority(*text);
    if (!out.priority) in.error("priority", "not_allowed", "must be one of \"low\", \"normal\", \"high\", \"realtime\"");
  }
  in.finish();
  if (errors.empty() && !out.tags && !out.metadata && !out.priority)
    errors.push_back({"", "missing_field", "name at least one of tags, metadata, priority"});
  return out;
}

std::optional<std::int64_t> version_of_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"') return std::nullopt;
  etag = etag.substr(1, etag.size() - 2);
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(etag.data(), etag.data() + etag.size(), version);
  if (error != std::errc{} || end != etag.data() + etag.size() || version < 1) return std::nullopt;
  return version;
}

}  // namespace kinora::gateway
