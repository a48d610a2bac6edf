#include "runs/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/ulid.hpp"
#include "jobs/submission.hpp"

namespace kinora::runs {

namespace {

using base::FieldErrors;
using base::ObjectReader;

constexpr std::string_view kDefinitionFields[] = {"steps", "outputs", "defaults", "fail_fast"};

void read_labels(ObjectReader& in, RunRequest& out, FieldErrors& errors) {
  out.client_ref = in.string("client_ref", 255);
  out.end_user = in.string("end_user", 255);
  if (const json::array* tags = in.array("tags", jobs::kMaxTags))
    for (std::size_t i = 0; i < tags->size(); ++i) {
      const json::string* text = (*tags)[i].if_string();
      if (text != nullptr && !text->empty() && text->size() <= jobs::kMaxTagBytes)
        out.tags.emplace_back(*text);
      else
        errors.push_back({fmt::format("{}/{}", in.pointer("tags"), i), "invalid_field", "must be a text of 1 to 64 bytes"});
    }
  if (const json::object* metadata = in.object("metadata")) {
    if (metadata->size() > jobs::kMaxMetadata) in.error("metadata", "too_high", "must have at most 32 members");
    for (const auto& member : *metadata)
      if (!member.value().is_string() || member.value().get_string().size() > jobs::kMaxMetadataBytes ||
          member.key().size() > jobs::kMaxTagBytes)
        errors.push_back({"/metadata/" + std::string(member.key()), "invalid_field", "must be a text of at most 512 bytes"});
    out.metadata = *metadata;
  }
}

bool has_type(const json::value& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type == "integer") return value.is_int64() || (value.is_double() && std::trunc(value.get_double()) == value.get_double());
  if (type == "boolean") return value.is_bool();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return value.is_null();
}

double number_at(const json::object& schema, std::string_view key, double absent) {
  const json::value* value = schema.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : absent;
}

void check_value(const json::object& schema, json::value& value, const std::string& pointer, FieldErrors& errors) {
  const auto wrong = [&](std::string code, std::string detail) { errors.push_back({pointer, std::move(code), std::move(detail)}); };
  if (const json::value* type = schema.if_contains("type"); type != nullptr && !has_type(value, type->get_string()))
    return wrong("invalid_field", fmt::format("must be of type {}", std::string_view(type->get_string())));
  if (const json::value* allowed = schema.if_contains("enum")) {
    const json::array& list = allowed->get_array();
    if (std::find(list.begin(), list.end(), value) == list.end()) return wrong("not_allowed", "must be one of " + json::serialize(list));
  }
  constexpr double kAny = std::numeric_limits<double>::infinity();
  const auto bounded = [&](double size, std::string_view low, std::string_view high, std::string_view of) {
    if (size < number_at(schema, low, -kAny)) wrong("too_low", fmt::format("must {} at least {}", of, number_at(schema, low, 0)));
    if (size > number_at(schema, high, kAny)) wrong("too_high", fmt::format("must {} at most {}", of, number_at(schema, high, 0)));
  };
  if (value.is_number()) bounded(value.to_number<double>(), "minimum", "maximum", "be");
  if (value.is_string()) bounded(static_cast<double>(value.get_string().size()), "minLength", "maxLength", "have a length of");
  if (json::array* list = value.if_array()) {
    bounded(static_cast<double>(list->size()), "minItems", "maxItems", "have a size of");
    if (const json::value* items = schema.if_contains("items"))
      for (std::size_t i = 0; i < list->size(); ++i) check_value(items->get_object(), (*list)[i], fmt::format("{}/{}", pointer, i), errors);
  }
  json::object* object = value.if_object();
  const json::value* properties = schema.if_contains("properties");
  if (object == nullptr) return;
  if (properties != nullptr)
    for (const auto& property : properties->get_object()) {
      const json::object& inner = property.value().get_object();
      if (json::value* there = object->if_contains(property.key()))
        check_value(inner, *there, pointer + "/" + std::string(property.key()), errors);
      else if (const json::value* otherwise = inner.if_contains("default"))
        (*object)[property.key()] = *otherwise;
    }
  if (const json::value* required = schema.if_contains("required"))
    for (const json::value& key : required->get_array())
      if (!object->contains(key.get_string()))
        errors.push_back({pointer + "/" + std::string(key.get_string()), "missing_field", "is required"});
  const json::value* more = schema.if_contains("additionalProperties");
  if (more != nullptr && more->is_bool() && !more->get_bool())
    for (const auto& member : *object)
      if (properties == nullptr || !properties->get_object().contains(member.key()))
        errors.push_back({pointer + "/" + std::string(member.key()), "unknown_field", "is no argument of this workflow"});
}

}  // namespace

tasks::Problem problem_of(FieldErrors errors) {
  tasks::Problem problem;
  const std::string& code = errors.front().code;
  problem.code = code == "unknown_field" || code == "missing_field" ? code : "invalid_field";
  problem.detail = errors.front().pointer + " " + errors.front().detail;
  if (errors.size() > 1) problem.detail += fmt::format(" (and {} more)", errors.size() - 1);
  problem.errors = std::move(errors);
  return problem;
}

jobs::Outcome<RunRequest> parse_run_request(const json::value& body) {
  FieldErrors errors;
  RunRequest out;
  ObjectReader in(body, "", errors);
  out.name = in.string("name", 200).value_or("");
  if (const json::object* args = in.object("args")) out.args = *args;
  out.deadline_s = in.integer("deadline_s", 1, kMaxDeadlineS).value_or(kDefaultDeadlineS);
  read_labels(in, out, errors);
  out.webhook = jobs::read_subject_hook(in, "webhook", errors);
  in.integer("wait_s", 0, 60);
  if (in.member("budget") != nullptr) in.error("budget", "not_allowed", "budgets are not there yet: leave it out");
  out.workflow = in.string("workflow", 64);
  if (out.workflow) {
    if (!base::is_id("wf", *out.workflow)) in.error("workflow", "invalid_field", "must be wf_ and a ULID");
    if (const auto version = in.integer("version", 1, 1'000'000)) out.version = static_cast<int>(*version);
  } else if (body.is_object()) {
    for (const std::string_view key : kDefinitionFields)
      if (const json::value* value = in.member(key)) out.definition[key] = *value;
    if (!out.definition.contains("steps"))
      errors.push_back({"/steps", "missing_field", "give the steps, or the id of a saved workflow in `workflow`"});
  }
  in.finish();
  if (!errors.empty()) return tl::unexpected(problem_of(std::move(errors)));
  return out;
}

jobs::Outcome<json::object> check_args(const json::object& schema, const json::object& args) {
  FieldErrors errors;
  json::value value = args;
  check_value(schema, value, "/args", errors);
  if (!errors.empty()) return tl::unexpected(problem_of(std::move(errors)));
  return std::move(value.get_object());
}

void check_args_schema(const json::object& schema, const std::string& pointer, FieldErrors& errors) {
  const json::value whole = schema;
  ObjectReader in(whole, pointer, errors);
  if (const auto type = in.string("type", 16)) {
    constexpr std::string_view kTypes[] = {"string", "number", "integer", "boolean", "array", "object", "null"};
    if (std::find(std::begin(kTypes), std::end(kTypes), *type) == std::end(kTypes))
      in.error("type", "not_allowed", "is no type of JSON Schema");
  }
  for (const std::string_view key : {"title", "description"}) in.string(key);
  in.string("$schema", 200);
  in.member("default");
  in.array("enum", 100);
  for (const std::string_view key : {"minimum", "maximum"}) in.number(key, -1e300, 1e300);
  for (const std::string_view key : {"minLength", "maxLength", "minItems", "maxItems"}) in.integer(key, 0, 1 << 20);
  in.boolean("additionalProperties");
  if (const json::object* properties = in.object("properties"))
    for (const auto& member : *properties) {
      const std::string at = in.pointer("properties") + "/" + std::string(member.key());
      if (!is_name(member.key())) errors.push_back({at, "invalid_field", "names are a letter, then letters, digits and \"_\""});
      if (const json::object* inner = member.value().if_object())
        check_args_schema(*inner, at, errors);
      else
        errors.push_back({at, "invalid_field", "must be an object"});
    }
  if (const json::object* items = in.object("items")) check_args_schema(*items, in.pointer("items"), errors);
  if (const json::array* required = in.array("required", 100))
    for (std::size_t i = 0; i < required->size(); ++i)
      if (!(*required)[i].is_string())
        errors.push_back({fmt::format("{}/{}", in.pointer("required"), i), "invalid_field", "must be a text"});
  in.finish();
}

}  // namespace kinora::runs
