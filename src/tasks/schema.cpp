// JSON Schema 2020-12 and the public description of a task (validation.hpp).
#include "tasks/validation.hpp"

namespace kinora::tasks {
namespace {

json::array strings(std::span<const std::string_view> values) {
  json::array out;
  for (const std::string_view value : values) out.emplace_back(value);
  return out;
}

json::value bound(ParamType type, double value) {
  if (type == ParamType::number) return value;
  return static_cast<std::int64_t>(value);
}

json::object object_schema(std::span<const ParamSpec> members);

json::object param_schema(const ParamSpec& spec) {
  json::object out;
  switch (spec.type) {
    case ParamType::integer:
    case ParamType::number:
      out = {{"type", name(spec.type)}, {"minimum", bound(spec.type, spec.min)}, {"maximum", bound(spec.type, spec.max)}};
      break;
    case ParamType::boolean: out = {{"type", "boolean"}}; break;
    case ParamType::string:
      if (!spec.values.empty()) {
        out = {{"type", "string"}, {"enum", strings(spec.values)}};
      } else {
        out = {{"type", "string"}, {"minLength", bound(ParamType::integer, spec.min)}, {"maxLength", bound(ParamType::integer, spec.max)}};
        if (spec.token) out["pattern"] = "^[a-z0-9_-]*$";
      }
      break;
    case ParamType::object: out = object_schema(spec.members); break;
    case ParamType::array:
      out = {{"type", "array"}, {"minItems", bound(ParamType::integer, spec.min)}, {"maxItems", bound(ParamType::integer, spec.max)}};
      if (spec.members.empty()) {
        out["items"] = {{"type", "string"}, {"enum", strings(spec.values)}};
        out["uniqueItems"] = true;
      } else {
        out["items"] = object_schema(spec.members);
      }
      break;
  }
  if (!spec.doc.empty()) out["description"] = spec.doc;
  if (!spec.default_json.empty()) out["default"] = json::parse(spec.default_json);
  return out;
}

void add_params(std::span<const ParamSpec> params, json::object& properties, json::array& required) {
  for (const ParamSpec& spec : params) {
    if (spec.internal) continue;
    properties[spec.name] = param_schema(spec);
    if (spec.required) required.emplace_back(spec.name);
  }
}

json::object object_schema(std::span<const ParamSpec> members) {
  json::object properties;
  json::array required;
  add_params(members, properties, required);
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}, {"additionalProperties", false}};
}

// An object that names the media, or a text (docs/api.md). A part of it: of pictures one frame, of anything else a range of time.
json::value media_schema(MediaKind kind) {
  const auto text = [](std::string_view pattern) { return json::object{{"type", "string"}, {"pattern", pattern}}; };
  const json::object seconds{{"type", "number"}, {"minimum", 0}, {"maximum", 86'400}};
  json::object part;
  if (kind == MediaKind::image) {
    const json::object at{
        {"type", "object"}, {"additionalProperties", false}, {"required", {"time_s"}}, {"properties", {{"time_s", seconds}}}};
    part["frame"] = {{"oneOf", {{{"enum", {"first", "last"}}}, {{"type", "integer"}, {"minimum", 0}, {"maximum", 1'000'000}}, at}}};
  } else {
    part["start_s"] = part["end_s"] = seconds;
  }
  const auto form = [&](json::object properties, json::array required) -> json::object {
    for (const auto& member : part) properties[member.key()] = member.value();
    return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}, {"required", std::move(required)}};
  };
  json::array forms;
  forms.push_back(form({{"artifact", text("^art_[0-9A-HJKMNP-TV-Z]{26}$")}}, {"artifact"}));
  forms.push_back(form({{"upload", text("^upl_[0-9A-HJKMNP-TV-Z]{26}$")}}, {"upload"}));
  forms.push_back(form({{"url", {{"type", "string"}, {"pattern", "^https?://"}, {"maxLength", 2048}}},
                        {"headers", {{"type", "object"}, {"maxProperties", 16}, {"additionalProperties", {{"type", "string"}}}}},
                        {"sha256", text("^[0-9a-f]{64}$")}},
                       {"url"}));
  forms.push_back(
      form({{"job", text("^job_[0-9A-HJKMNP-TV-Z]{26}$")}, {"path", text("^output\\.[a-z0-9_-]+(\\[[0-9]+\\])?$")}}, {"job", "path"}));
  forms.push_back(text("^(data:|https?://)"));
  return {{"oneOf", std::move(forms)}};
}

json::value file_schema() {
  return {{"type", "object"},
          {"properties",
           {{"artifact", {{"type", "string"}}},
            {"url", {{"type", "string"}}},
            {"url_expires_at", {{"type", "string"}}},
            {"mime", {{"type", "string"}}},
            {"bytes", {{"type", "integer"}}},
            {"sha256", {{"type", "string"}}}}}};
}

constexpr std::string_view kDialect = "https://json-schema.org/draft/2020-12/schema";

}  // namespace

json::object input_schema(const TaskSpec& task) {
  json::object properties;
  json::array required;
  for (const InputSlot& slot : task.inputs) {
    json::object schema;
    if (slot.many)
      schema = {{"type", "array"}, {"items", media_schema(slot.kind)}, {"maxItems", kMaxManyItems}};
    else
      schema = media_schema(slot.kind).as_object();
    schema["description"] = slot.doc;
    schema["x-media-kind"] = name(slot.kind);
    properties[slot.slot] = std::move(schema);
    if (slot.required) required.emplace_back(slot.slot);
  }
  add_params(task.params, properties, required);
  json::object out{{"$schema", kDialect},
                   {"type", "object"},
                   {"properties", std::move(properties)},
                   {"required", std::move(required)},
                   {"additionalProperties", false}};
  // What must ascend cannot be said in JSON Schema.
  json::array both;
  for (const ParamRule& rule : task.rules)
    if (rule.kind == ParamRule::Kind::at_most_one)
      both.push_back(json::object{{"not", {{"required", json::array{json::string(rule.first), json::string(rule.second)}}}}});
  if (!both.empty()) out["allOf"] = std::move(both);
  return out;
}

json::object output_schema(const TaskSpec& task) {
  json::object properties;
  for (const OutputSlot& slot : task.outputs) {
    json::object schema;
    if (!slot.file)
      schema = {{"type", "object"}};
    else if (slot.many && slot.slot != "hls")
      schema = {{"type", "array"}, {"items", file_schema()}};
    else
      schema = file_schema().as_object();
    schema["description"] = slot.doc;
    properties[slot.slot] = std::move(schema);
  }
  properties["params"] = {{"type", "object"}, {"description", "the effective parameters, defaults filled in"}};
  return {{"$schema", kDialect}, {"type", "object"}, {"properties", std::move(properties)}};
}

json::object describe(const TaskSpec& task) {
  json::array inputs, outputs;
  for (const InputSlot& slot : task.inputs)
    inputs.push_back(
        {{"slot", slot.slot}, {"kind", name(slot.kind)}, {"required", slot.required}, {"many", slot.many}, {"description", slot.doc}});
  for (const OutputSlot& slot : task.outputs)
    outputs.push_back({{"slot", slot.slot}, {"file", slot.file}, {"many", slot.many}, {"description", slot.doc}});
  return {{"id", task.name},
          {"object", "task"},
          {"summary", task.summary},
          {"models", task.has_models},
          {"inputs", std::move(inputs)},
          {"outputs", std::move(outputs)},
          {"price_unit", task.price_unit},
          {"input_schema", input_schema(task)}};
}

}  // namespace kinora::tasks
