#pragma once
// The key under which a step's result may be used again (developer-api 5.5.6). Pure.
#include <optional>
#include <string>

#include "base/json.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::runs {

namespace json = base::json;

// SHA-256 in hex of the canonical text of {"v":1, ...parts}.
std::string step_key(json::object parts);
// {"task", "adapters", "input", "impl"} of a task that needs no model: what it makes depends on nothing else. `content` gives an artifact's
// SHA-256 ("" when unknown). nullopt: the result may not be used again (models whose weights' digest is unknown, pings, unknown content).
template <class Content>
std::optional<json::object> key_parts(const tasks::TaskSpec& task, const json::object& input, const Content& content) {
  constexpr int kImplementation = 1;  // of the codec tasks: raised when their results change
  if (task.has_models || task.inputs.empty()) return std::nullopt;
  json::object hashed;
  const auto by_content = [&](const json::value& value) -> std::optional<json::value> {
    const json::object* media = value.if_object();
    const json::value* id = media != nullptr ? media->if_contains("artifact") : nullptr;
    if (id == nullptr || !id->is_string()) return std::nullopt;
    const std::string sha256 = content(std::string_view(id->get_string()));
    if (sha256.empty()) return std::nullopt;
    json::object out = *media;
    out.erase("artifact");
    out["$sha256"] = sha256;
    return json::value(std::move(out));
  };
  for (const auto& member : input) {
    if (task.find_input(member.key()) == nullptr) {
      hashed[member.key()] = member.value();
    } else if (const json::array* list = member.value().if_array()) {
      json::array out;
      for (const json::value& item : *list) {
        auto one = by_content(item);
        if (!one) return std::nullopt;
        out.push_back(std::move(*one));
      }
      hashed[member.key()] = std::move(out);
    } else {
      auto one = by_content(member.value());
      if (!one) return std::nullopt;
      hashed[member.key()] = std::move(*one);
    }
  }
  return json::object{{"task", task.name}, {"adapters", json::array()}, {"input", std::move(hashed)}, {"impl", kImplementation}};
}

}  // namespace kinora::runs
