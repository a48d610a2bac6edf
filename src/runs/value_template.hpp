#pragma once
// JSON with references in it (docs/workflows.md): {"$ref": path}, {"$tpl": "text {{path}} text"}, {"$expr": "..."}, {"$first": [...]},
// {"$lit": value}. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "runs/expression.hpp"
#include "runs/path.hpp"

namespace kinora::runs {

inline constexpr std::size_t kMaxTemplateText = 64 * 1024;     // bytes of a text that $tpl makes
inline constexpr std::size_t kMaxResolvedBytes = 1024 * 1024;  // of one resolved value, about

// A reference found in a template.
struct Reference {
  Path path;
  std::string pointer;    // of the template that holds it
  bool optional = false;  // ends in "?", or stands in $first or has()
};

// Adds what is wrong to `errors` (with pointers below `pointer`) and every reference to `out`.
void scan_template(const json::value& value, const std::string& pointer, base::FieldErrors& errors, std::vector<Reference>& out);
// As an expression's text.
void scan_expression(std::string_view text, const std::string& pointer, base::FieldErrors& errors, std::vector<Reference>& out);
// True when there is a template form anywhere in it.
bool is_dynamic(const json::value& value);
// {"$...": ...}
bool is_form(const json::value& value);

// The value with everything filled in. A member or item whose optional reference is null is dropped. ref_unresolved, expr_error.
jobs::Outcome<json::value> fill_in(const json::value& value, const Scope& scope);
jobs::Outcome<json::value> fill_text(std::string_view text, const Scope& scope);

}  // namespace kinora::runs
