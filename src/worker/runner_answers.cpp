#include "base/json.hpp"
#include "base/printable.hpp"
#include "net/url.hpp"
#include "tasks/model_id.hpp"
#include "worker/runner.hpp"

namespace kinora::worker {
using base::ErrorCode;
using base::fail;

namespace {

std::string text(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

base::Result<RunnerModels> parse_models(std::string_view json) {
  KINORA_TRY(boost::json::value value, base::parse_json(json, {.bytes = kMaxModelsBytes}));
  if (const auto* object = value.if_object(); object && object->contains("models")) value = boost::json::value(object->at("models"));
  const auto* array = value.if_array();
  if (!array || array->size() > kMaxModels) return fail(ErrorCode::invalid, "kinora-runner's list of models is not understood");
  RunnerModels out;
  for (const auto& item : *array) {
    const auto* object = item.if_object();
    if (object == nullptr) continue;
    const std::string id = text(*object, "id");
    if (!tasks::is_model_id(id)) continue;
    if (text(*object, "kind") == "unusable") {
      out.unusable.push_back({id, base::printable(text(*object, "reason"), kMaxReasonBytes)});
      continue;
    }
    const auto* loaded = object->if_contains("loaded");
    const bool is_loaded = loaded && loaded->is_bool() && loaded->get_bool();
    const auto add = [&](const boost::json::value& task) {
      if (task.is_string()) out.usable.push_back({id, std::string(task.get_string()), is_loaded, text(*object, "weights")});
    };
    if (const auto* tasks = object->if_contains("tasks"); tasks && tasks->is_array() && tasks->get_array().size() <= kMaxModels) {
      for (const auto& task : tasks->get_array()) add(task);
    } else if (const auto* task = object->if_contains("task")) {
      add(*task);
    }
  }
  return out;
}

base::Result<std::string> parse_ready_line(std::string_view line) {
  KINORA_TRY(const boost::json::value value, base::parse_json(line, {.bytes = 4096}));
  const auto* object = value.if_object();
  const auto* url = object ? object->if_contains("url") : nullptr;
  if (!url || !url->is_string()) return fail(ErrorCode::invalid, "kinora-runner's first line holds no url");
  std::string text(url->get_string());
  while (text.ends_with('/')) text.pop_back();
  KINORA_TRY(const net::Url parsed, net::parse_url(text));
  if (parsed.tls() || (parsed.host != "127.0.0.1" && parsed.host != "::1")) {
    return fail(ErrorCode::invalid, "kinora-runner listens beyond loopback");
  }
  return text;
}

}  // namespace kinora::worker
