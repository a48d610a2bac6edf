#pragma once
// The expressions of `when` and `$expr` (docs/workflows.md): no loops, nothing from outside, bounded work. Pure.
//
//   literals (numbers, 'text' or "text", true, false, null, [lists]), paths, ! - * / % + - < <= > >= == != in && || ?:
//   size() has(path) min() max() int() float() string() contains() startsWith() matches()
//
// Numbers are IEEE doubles, whole ones exact to 2^53. `?` directly behind a path makes it optional; the `?` of a condition needs a space.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runs/path.hpp"

namespace kinora::runs {

inline constexpr std::size_t kMaxExpressionBytes = 4096;
inline constexpr int kMaxExpressionDepth = 64;
inline constexpr std::size_t kMaxExpressionNodes = 1000;
inline constexpr std::int64_t kMaxEvaluations = 10'000;       // of nodes; long texts and lists count for more
inline constexpr std::size_t kMaxExpressionText = 64 * 1024;  // bytes of a text that an expression makes

class Expression {
 public:
  // Errors: invalid (with the place), too_large.
  static base::Result<Expression> parse(std::string_view text);
  // expr_error: wrong types, division by zero, too much work. ref_unresolved: a path without value.
  jobs::Outcome<json::value> evaluate(const Scope& scope) const;
  // Every path in it; those inside has() are optional.
  std::vector<Path> paths() const;

 private:
  enum class Op {
    literal,
    path,
    list,
    negate,
    invert,
    multiply,
    divide,
    modulo,
    add,
    subtract,
    less,
    less_equal,
    greater,
    greater_equal,
    equal,
    unequal,
    in,
    both,
    either,
    choose,
    size,
    has,
    min,
    max,
    to_int,
    to_float,
    to_string,
    contains,
    starts_with,
    matches
  };
  struct Node {
    Op op = Op::literal;
    json::value literal;
    Path path;
    std::vector<std::uint32_t> children;
  };
  struct Parser;
  struct Evaluator;
  std::vector<Node> nodes_;
  std::uint32_t root_ = 0;
};

}  // namespace kinora::runs
