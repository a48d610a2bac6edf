#include "runs/path.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace kinora::runs {
namespace {

using base::ErrorCode;

bool alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_name(std::string_view& text) {
  std::size_t end = 0;
  if (!text.empty() && alpha(text[0]))
    while (end < text.size() && (alpha(text[end]) || digit(text[end]) || text[end] == '_')) ++end;
  const std::string_view name = text.substr(0, end);
  text.remove_prefix(end);
  return name;
}

base::Result<PathPart> take_bracket(std::string_view& text) {
  text.remove_prefix(1);
  PathPart part;
  if (text.starts_with("*]")) {
    text.remove_prefix(2);
    part.kind = PathPart::Kind::all;
    return part;
  }
  part.kind = PathPart::Kind::index;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part.index);
  if (error != std::errc() || end == text.data() + text.size() || *end != ']' || part.index > kMaxPathIndex || part.index < -kMaxPathIndex)
    return base::fail(ErrorCode::invalid, "\"[\" must be followed by a whole number or \"*\", and \"]\"");
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return part;
}

// What following a path found.
enum class Found { value, null, missing };
struct Walk {
  Found found = Found::value;
  json::value value;
};

Walk walk(const json::value& from, const std::vector<PathPart>& parts, std::size_t at, bool optional) {
  const json::value* value = &from;
  for (; at < parts.size(); ++at) {
    if (value->is_null()) return {Found::null, nullptr};
    const PathPart& part = parts[at];
    if (part.kind == PathPart::Kind::name) {
      const json::object* object = value->if_object();
      value = object != nullptr ? object->if_contains(part.name) : nullptr;
      if (value == nullptr) return {Found::missing, nullptr};
      continue;
    }
    // The items of a fan-out are reached by indexing the step itself.
    const json::array* list = value->if_array();
    if (const json::object* step = value->if_object(); step != nullptr && at == 0)
      if (const json::value* items = step->if_contains("items")) list = items->if_array();
    if (list == nullptr) return {Found::missing, nullptr};
    if (part.kind == PathPart::Kind::index) {
      const auto size = static_cast<std::int64_t>(list->size());
      const std::int64_t index = part.index < 0 ? size + part.index : part.index;
      if (index < 0 || index >= size) return {Found::missing, nullptr};
      value = &(*list)[static_cast<std::size_t>(index)];
      continue;
    }
    json::array out;
    for (const json::value& item : *list) {
      Walk one = walk(item, parts, at + 1, optional);
      if (one.found == Found::missing && !optional) return one;
      if (one.found != Found::value || one.value.is_null()) continue;
      if (json::array* several = one.value.if_array())
        for (json::value& inner : *several) out.push_back(std::move(inner));
      else
        out.push_back(std::move(one.value));
    }
    return {Found::value, std::move(out)};
  }
  return {Found::value, *value};
}

const json::value* root_of(const Path& path, const Scope& scope) {
  if (path.root == "args") return scope.args;
  if (path.root == "run") return scope.run;
  if (path.root == "steps") {
    const auto found = std::find_if(scope.steps.begin(), scope.steps.end(), [&](const auto& step) { return step.first == path.step; });
    return found == scope.steps.end() ? nullptr : found->second;
  }
  return !scope.variable.empty() && path.root == scope.variable ? scope.item : nullptr;
}

}  // namespace

bool is_name(std::string_view text) {
  std::string_view rest = text;
  return !take_name(rest).empty() && rest.empty();
}

bool is_step_id(std::string_view text) {
  constexpr std::array<std::string_view, 6> kReserved{"args", "steps", "run", "item", "index", "env"};
  if (text.empty() || text.size() > 32 || text[0] < 'a' || text[0] > 'z') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || digit(c) || c == '_'; }) &&
         std::find(kReserved.begin(), kReserved.end(), text) == kReserved.end();
}

base::Result<Path> take_path(std::string_view& text) {
  const std::string_view whole = text;
  Path path;
  path.root = take_name(text);
  if (path.root.empty()) return base::fail(ErrorCode::invalid, "a path begins with a name: args, steps, index, run or the loop's variable");
  if (path.root == "steps") {
    if (!text.starts_with('.')) return base::fail(ErrorCode::invalid, "\"steps\" must be followed by \".\" and the id of a step");
    text.remove_prefix(1);
    path.step = take_name(text);
    if (path.step.empty()) return base::fail(ErrorCode::invalid, "\"steps.\" must be followed by the id of a step");
  }
  while (!text.empty() && (text[0] == '.' || text[0] == '[')) {
    if (path.parts.size() == kMaxPathParts) return base::fail(ErrorCode::too_large, "a path has at most 32 parts");
    if (text[0] == '[') {
      KINORA_TRY(PathPart part, take_bracket(text));
      path.parts.push_back(std::move(part));
      continue;
    }
    text.remove_prefix(1);
    PathPart part;
    part.name = take_name(text);
    if (part.name.empty()) return base::fail(ErrorCode::invalid, "\".\" must be followed by a name");
    path.parts.push_back(std::move(part));
  }
  if (text.starts_with('?')) {
    text.remove_prefix(1);
    path.optional = true;
  }
  if (whole.size() - text.size() > kMaxPathBytes) return base::fail(ErrorCode::too_large, "a path has at most 512 bytes");
  return path;
}

base::Result<Path> parse_path(std::string_view text) {
  if (text.size() > kMaxPathBytes) return base::fail(ErrorCode::too_large, "a path has at most 512 bytes");
  KINORA_TRY(Path path, take_path(text));
  if (!text.empty()) return base::fail(ErrorCode::invalid, "unexpected \"" + std::string(text.substr(0, 16)) + "\" in a path");
  return path;
}

std::string to_string(const Path& path) {
  std::string out = path.root;
  if (!path.step.empty()) out += "." + path.step;
  for (const PathPart& part : path.parts) {
    switch (part.kind) {
      case PathPart::Kind::name: out += "." + part.name; break;
      case PathPart::Kind::index: out += "[" + std::to_string(part.index) + "]"; break;
      case PathPart::Kind::all: out += "[*]"; break;
    }
  }
  return path.optional ? out + "?" : out;
}

jobs::Outcome<json::value> resolve(const Path& path, const Scope& scope) {
  if (path.root == "index" && scope.index && path.parts.empty()) return json::value(*scope.index);
  const json::value* root = root_of(path, scope);
  Walk found{Found::missing, nullptr};
  if (root != nullptr) {
    // A whole fan-out is its items' outputs and counts.
    const json::object* step = path.root == "steps" && path.parts.empty() ? root->if_object() : nullptr;
    if (step != nullptr && step->contains("items"))
      found = {Found::value, step->at("output")};
    else
      found = walk(*root, path.parts, 0, path.optional);
  }
  if (found.found == Found::value) return std::move(found.value);
  if (path.optional) return json::value(nullptr);
  return jobs::refuse("ref_unresolved", to_string(path) + " has no value" + (found.found == Found::null ? " (a part of it is null)" : ""));
}

}  // namespace kinora::runs
