#include "runs/value_template.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kinora::runs {
namespace {

using jobs::Outcome;

std::string child(const std::string& pointer, std::string_view key) {
  std::string out = pointer + "/";
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

// Calls text(part) and path(text between {{ and }}) in order; false: a {{ is not closed.
template <class Text, class Inner>
bool each_part(std::string_view text, const Text& on_text, const Inner& on_path) {
  for (;;) {
    const std::size_t open = text.find("{{");
    on_text(text.substr(0, open));
    if (open == std::string_view::npos) return true;
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) return false;
    std::string_view inner = text.substr(open + 2, close - open - 2);
    while (inner.starts_with(' ')) inner.remove_prefix(1);
    while (inner.ends_with(' ')) inner.remove_suffix(1);
    on_path(inner);
    text.remove_prefix(close + 2);
  }
}

void scan_path(std::string_view text, const std::string& pointer, base::FieldErrors& errors, std::vector<Reference>& out) {
  auto path = parse_path(text);
  if (!path) {
    errors.push_back({pointer, "invalid_field", path.error().message});
    return;
  }
  const bool optional = path->optional;
  out.push_back({std::move(*path), pointer, optional});
}

struct Filler {
  const Scope& scope;
  std::size_t bytes = 0;

  // About the JSON text's length; stops counting at the limit.
  void measure(const json::value& value) {
    if (bytes > kMaxResolvedBytes) return;
    bytes += 8;
    if (const json::string* text = value.if_string()) bytes += text->size();
    if (const json::array* list = value.if_array())
      for (const json::value& item : *list) measure(item);
    if (const json::object* object = value.if_object())
      for (const auto& member : *object) {
        bytes += member.key().size();
        measure(member.value());
      }
  }
  Outcome<json::value> counted(Outcome<json::value> value) {
    if (value) measure(*value);
    if (bytes > kMaxResolvedBytes) return jobs::refuse("expr_error", "the value becomes larger than 1 MiB");
    return value;
  }
  Outcome<json::value> fill(const json::value& value) {
    if (const json::array* list = value.if_array()) {
      json::array out;
      for (const json::value& item : *list) {
        auto filled = fill(item);
        if (!filled) return filled;
        if (!filled->is_null() || !is_form(item)) out.push_back(std::move(*filled));
      }
      return json::value(std::move(out));
    }
    const json::object* object = value.if_object();
    if (object == nullptr) return counted(value);
    if (is_form(value)) return form(object->begin()->key(), object->begin()->value());
    json::object out;
    for (const auto& member : *object) {
      auto filled = fill(member.value());
      if (!filled) return filled;
      if (!filled->is_null() || !is_form(member.value())) out[member.key()] = std::move(*filled);
    }
    return json::value(std::move(out));
  }
  Outcome<json::value> form(std::string_view kind, const json::value& value) {
    if (kind == "$lit") return counted(value);
    if (kind == "$first") {
      for (const json::value& item : value.as_array()) {
        auto filled = fill(item);
        if (filled && !filled->is_null()) return filled;
        if (!filled && filled.error().code != "ref_unresolved") return filled;
      }
      return jobs::refuse("ref_unresolved", "no item of $first has a value");
    }
    const std::string_view text = value.as_string();
    if (kind == "$tpl") return counted(fill_text(text, scope));
    if (kind == "$expr") {
      const auto expression = Expression::parse(text);
      if (!expression) return jobs::refuse("expr_error", expression.error().message);
      return counted(expression->evaluate(scope));
    }
    const auto path = parse_path(text);
    if (!path) return jobs::refuse("ref_unresolved", path.error().message);
    return counted(resolve(*path, scope));
  }
};

}  // namespace

bool is_form(const json::value& value) {
  const json::object* object = value.if_object();
  return object != nullptr && object->size() == 1 && object->begin()->key().starts_with('$');
}

bool is_dynamic(const json::value& value) {
  if (is_form(value)) return true;
  if (const json::array* list = value.if_array()) return std::any_of(list->begin(), list->end(), is_dynamic);
  const json::object* object = value.if_object();
  return object != nullptr && std::any_of(object->begin(), object->end(), [](const auto& member) { return is_dynamic(member.value()); });
}

void scan_expression(std::string_view text, const std::string& pointer, base::FieldErrors& errors, std::vector<Reference>& out) {
  const auto expression = Expression::parse(text);
  if (!expression) {
    errors.push_back({pointer, "invalid_field", expression.error().message});
    return;
  }
  for (Path& path : expression->paths()) {
    const bool optional = path.optional;
    out.push_back({std::move(path), pointer, optional});
  }
}

void scan_template(const json::value& value, const std::string& pointer, base::FieldErrors& errors, std::vector<Reference>& out) {
  if (const json::array* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) scan_template((*list)[i], fmt::format("{}/{}", pointer, i), errors, out);
    return;
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return;
  const auto special = std::find_if(object->begin(), object->end(), [](const auto& member) { return member.key().starts_with('$'); });
  if (special == object->end()) {
    for (const auto& member : *object) scan_template(member.value(), child(pointer, member.key()), errors, out);
    return;
  }
  const std::string_view kind = special->key();
  const json::value& inner = special->value();
  if (object->size() != 1) {
    errors.push_back({pointer, "invalid_field",
                      std::string(kind) + " must stand alone in its object; a key with \"$\" is written inside {\"$lit\": ...}"});
  } else if (kind == "$first") {
    if (!inner.is_array() || inner.get_array().empty() || inner.get_array().size() > 16) {
      errors.push_back({pointer, "invalid_field", "$first takes a list of 1 to 16 values"});
      return;
    }
    std::vector<Reference> found;
    scan_template(inner, pointer + "/$first", errors, found);
    for (Reference& one : found) {
      one.optional = true;
      out.push_back(std::move(one));
    }
  } else if (kind == "$lit") {
  } else if (kind != "$ref" && kind != "$tpl" && kind != "$expr") {
    errors.push_back({pointer, "invalid_field", std::string(kind) + " is not known; there are $ref, $tpl, $expr, $first and $lit"});
  } else if (!inner.is_string()) {
    errors.push_back({pointer, "invalid_field", std::string(kind) + " takes a text"});
  } else if (kind == "$ref") {
    scan_path(std::string_view(inner.get_string()), pointer, errors, out);
  } else if (kind == "$expr") {
    scan_expression(std::string_view(inner.get_string()), pointer, errors, out);
  } else if (!each_part(
                 std::string_view(inner.get_string()), [](std::string_view) {},
                 [&](std::string_view path) { scan_path(path, pointer, errors, out); })) {
    errors.push_back({pointer, "invalid_field", "a \"{{\" is not closed"});
  }
}

Outcome<json::value> fill_text(std::string_view text, const Scope& scope) {
  std::string out;
  std::optional<tasks::Problem> problem;
  each_part(
      text, [&](std::string_view part) { out += part; },
      [&](std::string_view inner) {
        if (problem) return;
        const auto path = parse_path(inner);
        auto value = path ? resolve(*path, scope) : jobs::refuse("ref_unresolved", path.error().message);
        if (!value)
          problem = std::move(value.error());
        else if (value->is_object() || value->is_array())
          problem = jobs::refuse("expr_error", std::string(inner) + " is no text or number: it cannot stand in a text").value();
        else if (value->is_string())
          out += std::string_view(value->get_string());
        else if (!value->is_null())
          out += base::canonical_json(*value);
      });
  if (problem) return tl::unexpected(std::move(*problem));
  if (out.size() > kMaxTemplateText) return jobs::refuse("expr_error", "the text becomes longer than 64 KiB");
  return json::value(out);
}

Outcome<json::value> fill_in(const json::value& value, const Scope& scope) { return Filler{scope}.fill(value); }

}  // namespace kinora::runs
