#pragma once
// Paths of references (docs/workflows.md): `args.prompt`, `steps.gen.output.video`, `steps.shots[*].output.video`, `shot.seconds?`. Pure.
//
//   path = root *( "." name / "[" int "]" / "[*]" ) [ "?" ];  root = "args" / "steps." id / loop variable / "index" / "run"
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "jobs/outcome.hpp"

namespace kinora::runs {

namespace json = base::json;

inline constexpr std::size_t kMaxPathBytes = 512;
inline constexpr std::size_t kMaxPathParts = 32;
inline constexpr std::int64_t kMaxPathIndex = 1'000'000;

struct PathPart {
  enum class Kind { name, index, all };
  Kind kind = Kind::name;
  std::string name;
  std::int64_t index = 0;  // negative: from the end
  friend bool operator==(const PathPart&, const PathPart&) = default;
};

struct Path {
  std::string root;  // "args", "steps", "index", "run" or a loop variable
  std::string step;  // of root "steps"
  std::vector<PathPart> parts;
  bool optional = false;  // ends in "?": a missing value is null
  friend bool operator==(const Path&, const Path&) = default;
};

// Reads a path at the front of `text` and takes it off; the rest is left. Errors: invalid, too_large.
base::Result<Path> take_path(std::string_view& text);
// The whole text is a path.
base::Result<Path> parse_path(std::string_view text);
std::string to_string(const Path& path);
bool is_name(std::string_view text);     // ALPHA *(ALPHA / DIGIT / "_")
bool is_step_id(std::string_view text);  // [a-z][a-z0-9_]{0,31}, not reserved

// What the roots stand for. Everything pointed to outlives the scope.
struct Scope {
  const json::value* args = nullptr;
  const json::value* run = nullptr;
  std::vector<std::pair<std::string_view, const json::value*>> steps;  // those that have ended: step_value() (state.hpp)
  std::string_view variable;                                           // of the loop; empty: none
  const json::value* item = nullptr;
  std::optional<std::int64_t> index;
};

// The value with its type. `[*]` maps over a list, drops nulls and flattens lists by one level. What is missing is null when the path ends
// in "?", else ref_unresolved.
jobs::Outcome<json::value> resolve(const Path& path, const Scope& scope);

}  // namespace kinora::runs
