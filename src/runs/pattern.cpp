#include "runs/pattern.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace kinora::runs {
namespace {

using base::ErrorCode;

constexpr int kMaxDepth = 50;    // of groups
constexpr int kMaxRepeat = 100;  // of {m,n}

// One code point; a byte that is no UTF-8 stands for itself above the code points, so that it equals nothing else.
char32_t take_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  char32_t point = length == 1 ? first : first & (0xff >> (length + 1));
  bool good = length > 0 && length <= text.size();
  for (std::size_t i = 1; good && i < length; ++i) {
    good = (byte(i) & 0xc0) == 0x80;
    point = (point << 6) | (byte(i) & 0x3f);
  }
  if (!good) {
    text.remove_prefix(1);
    return 0x110000u + first;
  }
  text.remove_prefix(length);
  return point;
}

}  // namespace

// Recursive descent that writes the program as it reads: a sub-pattern is a stretch of steps, repeated by copying the stretch.
struct Pattern::Compiler {
  std::string_view text;
  std::vector<Step> program;
  std::optional<base::Error> error;

  using Op = Step::Op;
  using Ranges = std::vector<Range>;

  void fail(ErrorCode code, std::string what) {
    if (!error) error = base::Error{code, std::move(what)};
  }
  std::uint32_t at() const { return static_cast<std::uint32_t>(program.size()); }
  std::uint32_t emit(Step step) {
    if (program.size() >= kMaxPatternSteps) fail(ErrorCode::too_large, "the pattern is too large");
    if (!error) program.push_back(std::move(step));
    return at() - 1;
  }
  std::uint32_t emit(Op op) { return emit(Step{op, at() + 1, 0, {}, false}); }
  void emit_set(Ranges ranges, bool negated) { emit(Step{Op::set, at() + 1, 0, std::move(ranges), negated}); }

  // Moves the steps from `from` on by one place, to put a split before them.
  void insert_split(std::uint32_t from) {
    Step split{Op::split, from + 1, 0, {}, false};
    if (program.size() >= kMaxPatternSteps) return fail(ErrorCode::too_large, "the pattern is too large");
    program.insert(program.begin() + from, std::move(split));
    for (std::uint32_t i = from + 1; i < at(); ++i) shift(program[i], from, 1);
  }
  static void shift(Step& step, std::uint32_t from, std::uint32_t by) {
    if (step.next >= from) step.next += by;
    if (step.op == Op::split && step.other >= from) step.other += by;
  }
  void copy(const std::vector<Step>& part, std::uint32_t from) {
    const std::uint32_t by = at() - from;
    for (Step step : part) {
      step.next += by;
      if (step.op == Op::split) step.other += by;
      emit(std::move(step));
      if (error) return;
    }
  }

  void either(int depth) {
    if (depth > kMaxDepth) return fail(ErrorCode::too_large, "groups are nested too deep");
    const std::uint32_t from = at();
    sequence(depth);
    while (!error && text.starts_with('|')) {
      text.remove_prefix(1);
      insert_split(from);
      const std::uint32_t jump = emit(Op::jump);
      if (error) return;
      program[from].other = at();
      sequence(depth);
      if (error) return;
      program[jump].next = at();
    }
  }
  void sequence(int depth) {
    while (!error && !text.empty() && text[0] != '|' && text[0] != ')') {
      const std::uint32_t from = at();
      atom(depth);
      if (!error) repeats(from);
    }
  }
  void atom(int depth) {
    switch (text[0]) {
      case '(':
        text.remove_prefix(1);
        if (text.starts_with("?:"))
          text.remove_prefix(2);
        else if (text.starts_with('?'))
          return fail(ErrorCode::invalid, "only (?: ) is known of the groups that begin with \"(?\"");
        either(depth + 1);
        if (!text.starts_with(')')) return fail(ErrorCode::invalid, "a group is not closed");
        text.remove_prefix(1);
        return;
      case '[': return char_class();
      case '.': text.remove_prefix(1); return emit_set({{'\n', '\n'}}, true);
      case '^':
        text.remove_prefix(1);
        emit(Op::begin);
        return;
      case '$':
        text.remove_prefix(1);
        emit(Op::end);
        return;
      case '*':
      case '+':
      case '?': return fail(ErrorCode::invalid, "nothing to repeat");
      case '\\': {
        bool negated = false;
        Ranges ranges = escape(negated);
        return emit_set(std::move(ranges), negated);
      }
      default: {
        const char32_t point = take_point(text);
        emit_set({{point, point}}, false);
      }
    }
  }
  // After a backslash: a class, or one character.
  Ranges escape(bool& negated) {
    text.remove_prefix(1);
    if (text.empty()) {
      fail(ErrorCode::invalid, "a backslash ends the pattern");
      return {};
    }
    const char c = text[0];
    text.remove_prefix(1);
    negated = c == 'D' || c == 'W' || c == 'S';
    switch (c) {
      case 'd':
      case 'D': return {{'0', '9'}};
      case 'w':
      case 'W': return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
      case 's':
      case 'S': return {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};
      case 'n': return {{'\n', '\n'}};
      case 'r': return {{'\r', '\r'}};
      case 't': return {{'\t', '\t'}};
      default:
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0)
          fail(ErrorCode::invalid, std::string("unknown escape \\") + ((c & 0x80) != 0 ? '?' : c));
        return {{static_cast<char32_t>(c), static_cast<char32_t>(c)}};
    }
  }
  void char_class() {
    text.remove_prefix(1);
    const bool negated = text.starts_with('^');
    if (negated) text.remove_prefix(1);
    Ranges ranges;
    bool first = true;
    while (!text.empty() && (text[0] != ']' || first)) {
      first = false;
      bool inner_negated = false;
      Ranges one = class_item(inner_negated);
      if (error) return;
      if (inner_negated) return fail(ErrorCode::invalid, "\\D, \\W and \\S cannot stand in a class");
      if (one.size() == 1 && one[0].first == one[0].last && text.size() > 1 && text[0] == '-' && text[1] != ']') {
        text.remove_prefix(1);
        Ranges last = class_item(inner_negated);
        if (error) return;
        if (last.size() != 1 || last[0].first != last[0].last || last[0].first < one[0].first)
          return fail(ErrorCode::invalid, "a range of a class is the wrong way round");
        one[0].last = last[0].first;
      }
      ranges.insert(ranges.end(), one.begin(), one.end());
    }
    if (text.empty()) return fail(ErrorCode::invalid, "a class is not closed");
    text.remove_prefix(1);
    emit_set(std::move(ranges), negated);
  }
  Ranges class_item(bool& negated) {
    if (text[0] == '\\') return escape(negated);
    const char32_t point = take_point(text);
    return {{point, point}};
  }

  std::optional<int> number() {
    int value = 0;
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 4) value = value * 10 + (text[digits++] - '0');
    text.remove_prefix(digits);
    return digits == 0 ? std::nullopt : std::optional(value);
  }
  // * + ? {m,n} after the sub-pattern that begins at `from`.
  void repeats(std::uint32_t from) {
    if (text.empty()) return;
    int least = 0, most = -1;  // -1: any number
    if (text[0] == '*') {
    } else if (text[0] == '+') {
      least = 1;
    } else if (text[0] == '?') {
      most = 1;
    } else if (text[0] == '{') {
      text.remove_prefix(1);
      const auto low = number();
      if (!low) return fail(ErrorCode::invalid, "\"{\" must be followed by a number");
      least = most = *low;
      if (text.starts_with(',')) {
        text.remove_prefix(1);
        const auto high = number();
        most = high ? *high : -1;
      }
      if (!text.starts_with('}') || least > kMaxRepeat || most > kMaxRepeat || (most >= 0 && most < least))
        return fail(ErrorCode::invalid, "a repetition is {m}, {m,} or {m,n} with m <= n <= 100");
    } else {
      return;
    }
    text.remove_prefix(1);
    if (text.starts_with('?')) text.remove_prefix(1);  // lazy: whether it is found does not change
    if (!text.empty() && (text[0] == '*' || text[0] == '+' || text[0] == '?' || text[0] == '{'))
      return fail(ErrorCode::invalid, "a repetition cannot be repeated; use a group");
    repeat(from, least, most);
  }
  void repeat(std::uint32_t from, int least, int most) {
    const std::vector<Step> part(program.begin() + from, program.end());
    program.resize(from);
    for (int i = 0; i < least && !error; ++i) copy(part, from);
    if (error) return;
    if (most < 0) {
      const std::uint32_t split = emit(Op::split);
      copy(part, from);
      if (error) return;
      emit(Step{Op::jump, split, 0, {}, false});
      if (!error) program[split].other = at();
      return;
    }
    std::vector<std::uint32_t> splits;
    for (int i = least; i < most && !error; ++i) {
      splits.push_back(emit(Op::split));
      copy(part, from);
    }
    if (error) return;
    for (const std::uint32_t split : splits) program[split].other = at();
  }
};

base::Result<Pattern> Pattern::compile(std::string_view text) {
  if (text.size() > kMaxPatternBytes) return base::fail(ErrorCode::too_large, "a pattern has at most 512 bytes");
  Compiler compiler{text, {}, std::nullopt};
  compiler.either(0);
  if (!compiler.error && !compiler.text.empty()) compiler.fail(ErrorCode::invalid, "a \")\" closes nothing");
  compiler.emit(Step::Op::match);
  if (compiler.error) return base::fail(*compiler.error);
  Pattern out;
  out.program_ = std::move(compiler.program);
  return out;
}

// Adds the step and what is reached from it without reading a character. An explicit stack: a pattern's jumps can form long chains.
void Pattern::follow(std::uint32_t step, bool at_begin, bool at_end, std::vector<std::uint32_t>& list, std::vector<std::uint32_t>& mark,
                     std::uint32_t stamp) const {
  std::vector<std::uint32_t> stack{step};
  while (!stack.empty()) {
    const std::uint32_t one = stack.back();
    stack.pop_back();
    if (mark[one] == stamp) continue;
    mark[one] = stamp;
    const Step& what = program_[one];
    switch (what.op) {
      case Step::Op::jump: stack.push_back(what.next); break;
      case Step::Op::split:
        stack.push_back(what.other);
        stack.push_back(what.next);
        break;
      case Step::Op::begin:
        if (at_begin) stack.push_back(what.next);
        break;
      case Step::Op::end:
        if (at_end) stack.push_back(what.next);
        break;
      default: list.push_back(one);
    }
  }
}

bool Pattern::found_in(std::string_view text) const {
  std::vector<std::uint32_t> now, next, mark(program_.size(), 0);
  std::uint32_t stamp = 0;
  const auto matched = [&](const std::vector<std::uint32_t>& list) {
    return std::any_of(list.begin(), list.end(), [&](std::uint32_t step) { return program_[step].op == Step::Op::match; });
  };
  bool begin = true;
  ++stamp;
  follow(0, true, text.empty(), now, mark, stamp);
  for (;;) {
    if (matched(now)) return true;
    if (text.empty()) return false;
    const char32_t point = take_point(text);
    begin = false;
    next.clear();
    ++stamp;
    for (const std::uint32_t one : now) {
      const Step& step = program_[one];
      const bool inside = std::any_of(step.ranges.begin(), step.ranges.end(),
                                      [&](const Range& range) { return point >= range.first && point <= range.last; });
      if (inside != step.negated) follow(step.next, begin, text.empty(), next, mark, stamp);
    }
    follow(0, begin, text.empty(), next, mark, stamp);  // the search may begin at any place
    std::swap(now, next);
  }
}

}  // namespace kinora::runs
