// Evaluating expressions (expression.hpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runs/expression.hpp"
#include "runs/pattern.hpp"

namespace kinora::runs {
namespace {

constexpr double kExact = 9'007'199'254'740'992;  // 2^53

json::value number(double value) {
  if (std::abs(value) <= kExact && std::trunc(value) == value) return static_cast<std::int64_t>(value);
  return value;
}

std::string_view kind(const json::value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "a boolean";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  return value.is_array() ? "a list" : "an object";
}

std::string_view text(const json::value& value) { return value.get_string(); }

tl::unexpected<tasks::Problem> wrong(std::string_view what) { return jobs::refuse("expr_error", std::string(what)); }

}  // namespace

struct Expression::Evaluator {
  using Value = jobs::Outcome<json::value>;
  const Expression& expression;
  const Scope& scope;
  std::int64_t left = kMaxEvaluations;

  // Size of a value in nodes of work, up to what is left.
  std::int64_t cost(const json::value& value) const {
    if (value.is_string()) return static_cast<std::int64_t>(value.get_string().size() / 64);
    std::int64_t sum = 1;
    if (const json::array* list = value.if_array())
      for (const json::value& item : *list) {
        if (sum > left) break;
        sum += cost(item);
      }
    if (const json::object* object = value.if_object())
      for (const auto& member : *object) {
        if (sum > left) break;
        sum += cost(member.value());
      }
    return sum;
  }
  bool spend(std::int64_t much) { return (left -= much) >= 0; }

  Value run(std::uint32_t id) {
    if (!spend(1)) return wrong("the expression takes more than 10 000 steps");
    const Node& node = expression.nodes_[id];
    switch (node.op) {
      case Op::literal: return node.literal;
      case Op::path: return path(node.path);
      case Op::list: return list(node);
      case Op::both:
      case Op::either: return logic(node);
      case Op::choose: {
        auto test = boolean(node.children[0]);
        if (!test) return tl::unexpected(std::move(test).error());
        return run(node.children[*test ? 1 : 2]);
      }
      case Op::has: {
        Path optional = expression.nodes_[node.children[0]].path;
        optional.optional = true;
        auto found = path(optional);
        if (!found) return found;
        return json::value(!found->is_null());
      }
      default: break;
    }
    std::vector<json::value> in;
    for (const std::uint32_t child : node.children) {
      auto value = run(child);
      if (!value) return value;
      in.push_back(std::move(*value));
    }
    return apply(node.op, in);
  }
  Value path(const Path& path) {
    auto found = resolve(path, scope);
    if (found && !spend(cost(*found))) return wrong("the expression takes more than 10 000 steps");
    return found;
  }
  Value list(const Node& node) {
    json::array out;
    for (const std::uint32_t child : node.children) {
      auto value = run(child);
      if (!value) return value;
      if (!spend(cost(*value))) return wrong("the expression takes more than 10 000 steps");
      out.push_back(std::move(*value));
    }
    return json::value(std::move(out));
  }
  jobs::Outcome<bool> boolean(std::uint32_t id) {
    auto value = run(id);
    if (!value) return tl::unexpected(std::move(value).error());
    if (!value->is_bool()) return wrong(fmt::format("true or false is needed, not {}", kind(*value)));
    return value->get_bool();
  }
  Value logic(const Node& node) {
    auto first = boolean(node.children[0]);
    if (!first) return tl::unexpected(std::move(first).error());
    if (*first == (node.op == Op::either)) return json::value(*first);
    auto second = boolean(node.children[1]);
    if (!second) return tl::unexpected(std::move(second).error());
    return json::value(*second);
  }

  Value apply(Op op, const std::vector<json::value>& in) {
    switch (op) {
      case Op::invert:
        if (!in[0].is_bool()) return wrong(fmt::format("\"!\" needs true or false, not {}", kind(in[0])));
        return json::value(!in[0].get_bool());
      case Op::equal:
      case Op::unequal: return equality(in[0], in[1], op == Op::equal);
      case Op::in: return membership(in[0], in[1]);
      case Op::size: return size(in[0]);
      case Op::min:
      case Op::max: return extreme(in, op == Op::min);
      case Op::to_int:
      case Op::to_float: return to_number(in[0], op == Op::to_int);
      case Op::to_string: return to_text(in[0]);
      case Op::contains:
      case Op::starts_with:
      case Op::matches: return search(op, in[0], in[1]);
      case Op::negate:
        if (!in[0].is_number()) return wrong(fmt::format("\"-\" needs a number, not {}", kind(in[0])));
        return number(-in[0].to_number<double>());
      default: break;
    }
    if (in[0].is_string() && in[1].is_string()) return texts(op, text(in[0]), text(in[1]));
    if (!in[0].is_number() || !in[1].is_number())
      return wrong(fmt::format("two numbers or two texts are needed, not {} and {}", kind(in[0]), kind(in[1])));
    return numbers(op, in[0].to_number<double>(), in[1].to_number<double>());
  }
  Value texts(Op op, std::string_view a, std::string_view b) {
    if (!spend(static_cast<std::int64_t>((a.size() + b.size()) / 64))) return wrong("the expression takes more than 10 000 steps");
    switch (op) {
      case Op::add:
        if (a.size() + b.size() > kMaxExpressionText) return wrong("the text becomes too long");
        return json::value(std::string(a) + std::string(b));
      case Op::less: return json::value(a < b);
      case Op::less_equal: return json::value(a <= b);
      case Op::greater: return json::value(a > b);
      case Op::greater_equal: return json::value(a >= b);
      default: return wrong("texts can only be added and compared");
    }
  }
  static Value numbers(Op op, double a, double b) {
    double out = 0;
    switch (op) {
      case Op::add: out = a + b; break;
      case Op::subtract: out = a - b; break;
      case Op::multiply: out = a * b; break;
      case Op::divide:
      case Op::modulo:
        if (b == 0) return wrong("division by zero");
        out = op == Op::divide ? a / b : std::fmod(a, b);
        break;
      case Op::less: return json::value(a < b);
      case Op::less_equal: return json::value(a <= b);
      case Op::greater: return json::value(a > b);
      default: return json::value(a >= b);
    }
    if (!std::isfinite(out)) return wrong("the number becomes too large");
    return number(out);
  }
  static std::optional<bool> same(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
    if (a.is_object() || a.is_array() || b.is_object() || b.is_array()) {
      if (a.is_null() || b.is_null()) return false;
      return std::nullopt;
    }
    return a == b;
  }
  static Value equality(const json::value& a, const json::value& b, bool wanted) {
    const auto equal = same(a, b);
    if (!equal) return wrong("lists and objects cannot be compared");
    return json::value(*equal == wanted);
  }
  static Value membership(const json::value& a, const json::value& b) {
    if (const json::object* object = b.if_object(); object != nullptr && a.is_string()) return json::value(object->contains(text(a)));
    const json::array* items = b.if_array();
    if (items == nullptr) return wrong(fmt::format("\"in\" needs a list or an object, not {}", kind(b)));
    return json::value(std::any_of(items->begin(), items->end(), [&](const json::value& item) { return same(a, item).value_or(false); }));
  }
  static Value size(const json::value& of) {
    if (const json::array* list = of.if_array()) return json::value(static_cast<std::int64_t>(list->size()));
    if (const json::object* object = of.if_object()) return json::value(static_cast<std::int64_t>(object->size()));
    if (!of.is_string()) return wrong(fmt::format("size() needs a text, a list or an object, not {}", kind(of)));
    // Characters, not bytes.
    const std::string_view bytes = text(of);
    return json::value(std::count_if(bytes.begin(), bytes.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  }
  static Value extreme(const std::vector<json::value>& in, bool least) {
    const json::array* list = in.size() == 1 ? in[0].if_array() : nullptr;
    const std::vector<json::value> of = list != nullptr ? std::vector<json::value>(list->begin(), list->end()) : in;
    if (of.empty()) return wrong("min() and max() need a value");
    double out = least ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    for (const json::value& one : of) {
      if (!one.is_number()) return wrong(fmt::format("min() and max() need numbers, not {}", kind(one)));
      out = least ? std::min(out, one.to_number<double>()) : std::max(out, one.to_number<double>());
    }
    return number(out);
  }
  static Value to_number(const json::value& from, bool whole) {
    double out = 0;
    if (from.is_number()) {
      out = from.to_number<double>();
    } else if (from.is_bool()) {
      out = from.get_bool() ? 1 : 0;
    } else if (from.is_string()) {
      const std::string digits(text(from));
      char* end = nullptr;
      out = std::strtod(digits.c_str(), &end);
      if (digits.empty() || digits.find_first_not_of("0123456789+-.eE") != std::string::npos || *end != 0)
        return wrong("the text is no number");
    } else {
      return wrong(fmt::format("{} cannot become a number", kind(from)));
    }
    if (!std::isfinite(out)) return wrong("the number becomes too large");
    return number(whole ? std::trunc(out) : out);
  }
  static Value to_text(const json::value& from) {
    if (from.is_string()) return from;
    if (from.is_array() || from.is_object()) return wrong(fmt::format("{} cannot become a text", kind(from)));
    return json::value(base::canonical_json(from));
  }
  Value search(Op op, const json::value& in, const json::value& what) {
    if (op == Op::contains && in.is_array()) return membership(what, in);
    if (!in.is_string() || !what.is_string()) return wrong(fmt::format("texts are needed, not {} and {}", kind(in), kind(what)));
    if (op == Op::contains) return json::value(text(in).find(text(what)) != std::string_view::npos);
    if (op == Op::starts_with) return json::value(text(in).starts_with(text(what)));
    const auto pattern = Pattern::compile(text(what));
    if (!pattern) return wrong("matches(): " + pattern.error().message);
    if (!spend(static_cast<std::int64_t>(pattern->steps() * (text(in).size() + 1) / 256))) return wrong("matches() takes too many steps");
    return json::value(pattern->found_in(text(in)));
  }
};

jobs::Outcome<json::value> Expression::evaluate(const Scope& scope) const { return Evaluator{*this, scope}.run(root_); }

}  // namespace kinora::runs
