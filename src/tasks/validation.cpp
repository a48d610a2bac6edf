#include "tasks/validation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tasks/picture_rate.hpp"

namespace kinora::tasks {
namespace {

using base::FieldErrors;
using base::ObjectReader;

// The longest text that any parameter may hold; the spec's own bound is told with its number.
constexpr std::size_t kMaxTextBytes = 64 * 1024;

std::string allowed_values(const ParamSpec& spec) {
  std::string out = "must be one of";
  for (std::size_t i = 0; i < spec.values.size(); ++i) out += fmt::format("{} \"{}\"", i == 0 ? "" : ",", spec.values[i]);
  return out;
}

bool is_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

// A string against the spec's length, values and alphabet; empty: it is right.
std::optional<base::FieldError> wrong_text(const ParamSpec& spec, std::string_view text) {
  if (!spec.values.empty()) {
    if (std::find(spec.values.begin(), spec.values.end(), text) != spec.values.end()) return std::nullopt;
    return base::FieldError{"", "not_allowed", allowed_values(spec)};
  }
  if (static_cast<double>(text.size()) < spec.min)
    return base::FieldError{"", "too_low", fmt::format("must have at least {} bytes", spec.min)};
  if (static_cast<double>(text.size()) > spec.max)
    return base::FieldError{"", "too_high", fmt::format("must have at most {} bytes", spec.max)};
  if (spec.token && !is_token(text)) return base::FieldError{"", "invalid_field", "may hold only a-z, 0-9, '_' and '-'"};
  if (spec.rate)
    if (const auto rate = parse_picture_rate(text); !rate) return base::FieldError{"", "invalid_field", rate.error().message};
  return std::nullopt;
}

std::optional<json::value> read_param(const ParamSpec& spec, ObjectReader& in, FieldErrors& errors, Author author);

// Of the same JSON kind as a value that was given: a number is always a double, "2" included.
json::value default_of(const ParamSpec& spec) {
  json::value value = json::parse(spec.default_json);
  if (spec.type == ParamType::number) value = value.to_number<double>();
  return value;
}

json::object read_params(std::span<const ParamSpec> specs, ObjectReader& in, FieldErrors& errors, Author author) {
  json::object out;
  for (const ParamSpec& spec : specs) {
    if (spec.internal && author == Author::client) continue;  // then finish() calls it unknown
    if (auto value = read_param(spec, in, errors, author))
      out[spec.name] = std::move(*value);
    else if (!spec.default_json.empty())
      out[spec.name] = default_of(spec);
  }
  return out;
}

std::optional<json::value> read_array(const ParamSpec& spec, ObjectReader& in, FieldErrors& errors, Author author) {
  const json::array* items = in.array(spec.name, static_cast<std::size_t>(spec.max));
  if (items == nullptr) return std::nullopt;
  if (static_cast<double>(items->size()) < spec.min) in.error(spec.name, "too_low", fmt::format("must have at least {} items", spec.min));
  json::array out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string pointer = fmt::format("{}/{}", in.pointer(spec.name), i);
    const json::value& item = (*items)[i];
    if (!spec.members.empty()) {
      ObjectReader reader(item, pointer, errors);
      out.emplace_back(read_params(spec.members, reader, errors, author));
      reader.finish();
      continue;
    }
    const json::string* text = item.if_string();
    if (text == nullptr)
      errors.push_back({pointer, "invalid_field", "must be a string"});
    else if (std::find(spec.values.begin(), spec.values.end(), std::string_view(*text)) == spec.values.end())
      errors.push_back({pointer, "not_allowed", allowed_values(spec)});
    else if (std::find(items->begin(), items->begin() + static_cast<std::ptrdiff_t>(i), item) !=
             items->begin() + static_cast<std::ptrdiff_t>(i))
      errors.push_back({pointer, "not_allowed", "is there twice"});
    else
      out.push_back(item);
  }
  return out;
}

// The checked value; nullopt when absent or wrong (then an error is recorded).
std::optional<json::value> read_param(const ParamSpec& spec, ObjectReader& in, FieldErrors& errors, Author author) {
  if (spec.required) {
    const auto before = errors.size();
    in.required(spec.name);
    if (errors.size() > before) return std::nullopt;
  }
  switch (spec.type) {
    case ParamType::integer:
      if (const auto value = in.integer(spec.name, static_cast<std::int64_t>(spec.min), static_cast<std::int64_t>(spec.max)))
        return json::value(*value);
      break;
    case ParamType::number:
      if (const auto value = in.number(spec.name, spec.min, spec.max)) return json::value(*value);
      break;
    case ParamType::boolean:
      if (const auto value = in.boolean(spec.name)) return json::value(*value);
      break;
    case ParamType::string:
      if (const auto value = in.string(spec.name, kMaxTextBytes)) {
        const auto wrong = wrong_text(spec, *value);
        if (!wrong) return json::value(*value);
        in.error(spec.name, wrong->code, wrong->detail);
      }
      break;
    case ParamType::object:
      if (in.object(spec.name) != nullptr) {
        ObjectReader members(*in.member(spec.name), in.pointer(spec.name), errors);
        json::object out = read_params(spec.members, members, errors, author);
        members.finish();
        return out;
      }
      break;
    case ParamType::array: return read_array(spec, in, errors, author);
  }
  return std::nullopt;
}

void read_slot(const InputSlot& slot, ObjectReader& in, std::vector<SlotValue>& out) {
  const json::value* value = slot.required ? in.required(slot.slot) : in.member(slot.slot);
  if (value == nullptr) return;
  if (!slot.many) {
    out.push_back({std::string(slot.slot), in.pointer(slot.slot), *value});
    return;
  }
  const json::array* items = in.array(slot.slot, kMaxManyItems);
  if (items == nullptr) return;
  if (items->empty() && slot.required) in.error(slot.slot, "too_low", "must have at least 1 item");
  for (std::size_t i = 0; i < items->size(); ++i)
    out.push_back({std::string(slot.slot), fmt::format("{}/{}", in.pointer(slot.slot), i), (*items)[i]});
}

void check_rules(const TaskSpec& task, const json::object& params, const ObjectReader& in, FieldErrors& errors) {
  for (const ParamRule& rule : task.rules) {
    const json::value* first = params.if_contains(rule.first);
    const json::value* second = params.if_contains(rule.second);
    if (first == nullptr || second == nullptr) continue;
    if (rule.kind == ParamRule::Kind::at_most_one)
      errors.push_back({in.pointer(rule.second), "not_allowed", fmt::format("either {} or {}, not both", rule.first, rule.second)});
    else if (first->to_number<double>() >= second->to_number<double>())
      errors.push_back({in.pointer(rule.second), "too_low", fmt::format("must be more than {}", rule.first)});
  }
}

}  // namespace

SplitInput validate_input(const TaskSpec& task, const json::value& input, std::string_view pointer, FieldErrors& errors, Author author) {
  SplitInput out;
  ObjectReader in(input, std::string(pointer), errors);
  for (const InputSlot& slot : task.inputs) read_slot(slot, in, out.media);
  out.params = read_params(task.params, in, errors, author);
  check_rules(task, out.params, in, errors);
  in.finish();
  return out;
}

json::object validate_params(const TaskSpec& task, const json::value& params, std::string_view pointer, FieldErrors& errors,
                             Author author) {
  ObjectReader in(params, std::string(pointer), errors);
  json::object out = read_params(task.params, in, errors, author);
  check_rules(task, out, in, errors);
  in.finish();
  return out;
}

}  // namespace kinora::tasks
