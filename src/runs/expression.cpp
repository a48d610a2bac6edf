#include "runs/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace kinora::runs {

using base::ErrorCode;

// Recursive descent, one function per level of binding.
struct Expression::Parser {
  std::string_view whole, text;
  std::vector<Node> nodes;
  std::optional<base::Error> error;
  int depth = 0;

  using Id = std::uint32_t;

  Id fail(std::string what, ErrorCode code = ErrorCode::invalid) {
    if (!error) error = base::Error{code, fmt::format("at {}: {}", whole.size() - text.size(), what)};
    return 0;
  }
  Id make(Op op, std::vector<Id> children, json::value literal = nullptr, Path path = {}) {
    if (nodes.size() >= kMaxExpressionNodes) return fail("the expression is too large", ErrorCode::too_large);
    nodes.push_back({op, std::move(literal), std::move(path), std::move(children)});
    return static_cast<Id>(nodes.size() - 1);
  }
  void space() {
    while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n' || text[0] == '\r')) text.remove_prefix(1);
  }
  bool take(std::string_view token) {
    space();
    if (!text.starts_with(token)) return false;
    text.remove_prefix(token.size());
    return true;
  }
  bool word_char(char c) const { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
  bool take_word(std::string_view word) {
    space();
    if (!text.starts_with(word) || (text.size() > word.size() && word_char(text[word.size()]))) return false;
    text.remove_prefix(word.size());
    return true;
  }

  struct Deeper {
    explicit Deeper(Parser& parser_) : parser(parser_) { ++parser.depth; }
    ~Deeper() { --parser.depth; }
    Parser& parser;
  };

  Id condition() {
    const Deeper deeper(*this);
    if (depth > kMaxExpressionDepth) return fail("nested too deep", ErrorCode::too_large);
    const Id test = either();
    if (error || !take("?")) return test;
    const Id yes = condition();
    if (!error && !take(":")) return fail("\":\" is missing after \"?\"");
    if (error) return 0;
    const Id no = condition();
    return make(Op::choose, {test, yes, no});
  }
  Id either() {
    Id left = both();
    while (!error && take("||")) left = make(Op::either, {left, both()});
    return left;
  }
  Id both() {
    Id left = relation();
    while (!error && take("&&")) left = make(Op::both, {left, relation()});
    return left;
  }
  Id relation() {
    Id left = sum();
    for (;;) {
      if (error) return 0;
      // The longer ones first.
      constexpr std::array<std::pair<std::string_view, Op>, 6> kOps{
          {{"<=", Op::less_equal}, {">=", Op::greater_equal}, {"==", Op::equal}, {"!=", Op::unequal}, {"<", Op::less}, {">", Op::greater}}};
      const auto found = std::find_if(kOps.begin(), kOps.end(), [&](const auto& op) { return take(op.first); });
      if (found != kOps.end())
        left = make(found->second, {left, sum()});
      else if (take_word("in"))
        left = make(Op::in, {left, sum()});
      else
        return left;
    }
  }
  Id sum() {
    Id left = product();
    for (;;) {
      if (error) return 0;
      if (take("+"))
        left = make(Op::add, {left, product()});
      else if (take("-"))
        left = make(Op::subtract, {left, product()});
      else
        return left;
    }
  }
  Id product() {
    Id left = unary();
    for (;;) {
      if (error) return 0;
      if (take("*"))
        left = make(Op::multiply, {left, unary()});
      else if (take("/"))
        left = make(Op::divide, {left, unary()});
      else if (take("%"))
        left = make(Op::modulo, {left, unary()});
      else
        return left;
    }
  }
  Id unary() {
    const Deeper deeper(*this);
    if (depth > kMaxExpressionDepth) return fail("nested too deep", ErrorCode::too_large);
    if (take("!")) return make(Op::invert, {unary()});
    if (take("-")) return make(Op::negate, {unary()});
    return primary();
  }
  std::vector<Id> items(std::string_view close) {
    std::vector<Id> out;
    if (take(close)) return out;
    do out.push_back(condition());
    while (!error && take(","));
    if (!error && !take(close)) fail(fmt::format("\"{}\" is missing", close));
    return out;
  }
  Id primary() {
    space();
    if (text.empty()) return fail("a value is missing");
    if (take("(")) {
      const Id inner = condition();
      if (!error && !take(")")) return fail("\")\" is missing");
      return inner;
    }
    if (take("[")) return make(Op::list, items("]"));
    if (text[0] == '\'' || text[0] == '"') return quoted();
    if ((text[0] >= '0' && text[0] <= '9') || text[0] == '.') return number();
    if (take_word("true")) return make(Op::literal, {}, true);
    if (take_word("false")) return make(Op::literal, {}, false);
    if (take_word("null")) return make(Op::literal, {}, nullptr);
    if (const Id made = call(); made != 0 || error) return made;
    auto path = take_path(text);
    if (!path) return fail(path.error().message, path.error().code);
    return method(std::move(*path));
  }
  Id quoted() {
    const char quote = text[0];
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == quote) {
        text.remove_prefix(i + 1);
        return make(Op::literal, {}, json::value(out));
      }
      if (text[i] == '\\') {
        if (++i == text.size()) break;
        constexpr std::string_view kFrom = "nrt\\'\"", kTo = "\n\r\t\\'\"";
        const std::size_t known = kFrom.find(text[i]);
        if (known == std::string_view::npos) return fail("unknown escape in a text");
        out += kTo[known];
      } else {
        out += text[i];
      }
    }
    return fail("a text is not closed");
  }
  Id number() {
    double value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc()) return fail("is no number");
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty() && word_char(text[0])) return fail("is no number");
    constexpr double kExact = 9'007'199'254'740'992;  // 2^53
    if (std::trunc(value) == value && value <= kExact) return make(Op::literal, {}, static_cast<std::int64_t>(value));
    return make(Op::literal, {}, value);
  }
  struct Function {
    std::string_view name;
    Op op;
    std::size_t least, most;
  };
  static constexpr std::array<Function, 10> kFunctions{{{"size", Op::size, 1, 1},
                                                        {"has", Op::has, 1, 1},
                                                        {"min", Op::min, 1, 64},
                                                        {"max", Op::max, 1, 64},
                                                        {"int", Op::to_int, 1, 1},
                                                        {"float", Op::to_float, 1, 1},
                                                        {"string", Op::to_string, 1, 1},
                                                        {"contains", Op::contains, 2, 2},
                                                        {"startsWith", Op::starts_with, 2, 2},
                                                        {"matches", Op::matches, 2, 2}}};
  Id make_call(const Function& function, std::vector<Id> arguments) {
    if (error) return 0;
    if (arguments.size() < function.least || arguments.size() > function.most)
      return fail(fmt::format("{}() takes {} argument{}", function.name, function.least, function.least == 1 ? "" : "s"));
    if (function.op == Op::has && nodes[arguments[0]].op != Op::path) return fail("has() takes a path");
    return make(function.op, std::move(arguments));
  }
  // name(...); 0 when it is none.
  Id call() {
    std::size_t end = 0;
    while (end < text.size() && word_char(text[end])) ++end;
    const std::string_view name = text.substr(0, end);
    const std::string_view before = text;
    text.remove_prefix(end);
    if (name.empty() || !take("(")) {
      text = before;
      return 0;
    }
    const auto found = std::find_if(kFunctions.begin(), kFunctions.end(), [&](const Function& function) { return function.name == name; });
    if (found == kFunctions.end()) return fail(fmt::format("there is no function {}()", name));
    return make_call(*found, items(")"));
  }
  // args.name.startsWith('x') is startsWith(args.name, 'x').
  Id method(Path path) {
    if (!text.starts_with('(')) return make(Op::path, {}, nullptr, std::move(path));
    const std::string name = path.parts.empty() ? "" : path.parts.back().name;
    const auto found = std::find_if(kFunctions.begin(), kFunctions.end(), [&](const Function& function) { return function.name == name; });
    if (found == kFunctions.end()) return fail("there is no function " + name + "()");
    path.parts.pop_back();
    text.remove_prefix(1);
    std::vector<Id> arguments{make(Op::path, {}, nullptr, std::move(path))};
    for (const Id one : items(")")) arguments.push_back(one);
    return make_call(*found, std::move(arguments));
  }
};

base::Result<Expression> Expression::parse(std::string_view text) {
  if (text.size() > kMaxExpressionBytes)
    return base::fail(ErrorCode::too_large, fmt::format("an expression has at most {} bytes", kMaxExpressionBytes));
  Parser parser{text, text, {}, std::nullopt};
  parser.make(Op::literal, {});  // so that 0 is no call
  Expression out;
  out.root_ = parser.condition();
  parser.space();
  if (!parser.error && !parser.text.empty()) parser.fail(fmt::format("unexpected \"{}\"", parser.text.substr(0, 16)));
  if (parser.error) return base::fail(*parser.error);
  out.nodes_ = std::move(parser.nodes);
  return out;
}

std::vector<Path> Expression::paths() const {
  std::vector<bool> in_has(nodes_.size(), false);
  for (const Node& node : nodes_)
    if (node.op == Op::has) in_has[node.children[0]] = true;
  std::vector<Path> out;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].op != Op::path) continue;
    out.push_back(nodes_[i].path);
    if (in_has[i]) out.back().optional = true;
  }
  return out;
}

}  // namespace kinora::runs
