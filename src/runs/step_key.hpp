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
// Only what comes out the same again: codec tasks, and models whose randomness is given. Not pings, nor what takes further weights
// (adapters, a refiner, an interpolator), whose digests are not known.
inline bool may_be_used_again(const tasks::TaskSpec& task, const json::object& input) {
  if (!task.has_models) return !task.inputs.empty();
  if (task.find_param("seed") != nullptr && !input.contains("seed")) return false;
  if (task.find_param("interpolator") != nullptr) return false;
  const json::value* adapters = input.if_contains("adapters");
  return !input.contains("refiner") && (adapters == nullptr || (adapters->is_array() && adapters->get_array().empty()));
}

// {"task", "adapters", "input", "seed", "model"} or, of a codec task, {"task", "adapters", "input", "impl"}. `weights`: digest of the
// model's. `content` gives an artifact's SHA-256 ("" when unknown). nullopt: the result may not be used again.
template <class Content>
std::optional<json::object> key_parts(const tasks::TaskSpec& task, const json::object& input, const std::optional<std::string>& weights,
                                      const Content& content) {
  constexpr int kImplementation = 1;  // of the codec tasks: raised when their results change
  if (!may_be_used_again(task, input) || (task.has_models && !weights)) return std::nullopt;
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
    if (task.has_models && (member.key() == "seed" || member.key() == "adapters")) continue;  // beside the input
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
  json::object out{{"task", task.name}, {"adapters", json::array()}, {"input", std::move(hashed)}};
  if (!task.has_models) {
    out["impl"] = kImplementation;
    return out;
  }
  out["model"] = *weights;
  if (const json::value* seed = input.if_contains("seed")) out["seed"] = *seed;
  return out;
}

}  // namespace kinora::runs
