#include "nn/prompts/prompt_weights.hpp"

#include <charconv>
#include <cmath>
#include <optional>

namespace kinora::nn {
namespace {

constexpr double kBracket = 1.1;
constexpr std::string_view kBreak = "BREAK";

bool space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::size_t skip_spaces(std::string_view text, std::size_t i) {
  while (i < text.size() && space(text[i])) ++i;
  return i;
}

struct Weight {
  double value;
  std::size_t end;  // behind the bracket
};
// ": 1.3 )" at `i`.
std::optional<Weight> weight_at(std::string_view text, std::size_t i) {
  if (i >= text.size() || text[i] != ':') return std::nullopt;
  i = skip_spaces(text, i + 1);
  if (text.substr(i).starts_with('+') && !text.substr(i).starts_with("+-")) ++i;
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [behind, failed] = std::from_chars(text.data() + i, end, value, std::chars_format::fixed);
  if (failed != std::errc() || !std::isfinite(value)) return std::nullopt;
  i = skip_spaces(text, static_cast<std::size_t>(behind - text.data()));
  if (i >= text.size() || text[i] != ')') return std::nullopt;
  return Weight{value, i + 1};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<PromptSection> parse() {
    for (std::size_t i = 0; i < text_.size();) i = step(i);
    for (const auto open : round_) multiply(open, kBracket);
    for (const auto open : square_) multiply(open, 1 / kBracket);
    return sections();
  }

 private:
  struct Part {
    std::string text;
    double weight = 1;
    bool new_section = false;
    bool closed = false;  // nothing is added any more
  };

  std::size_t step(std::size_t i) {
    const char c = text_[i];
    if (c == '\\' && i + 1 < text_.size() && std::string_view("()[]\\").find(text_[i + 1]) != std::string_view::npos) {
      add(text_[i + 1]);
      return i + 2;
    }
    if (c == '(' || c == '[') {
      (c == '(' ? round_ : square_).push_back(parts_.size());
      close();
      return i + 1;
    }
    if (!round_.empty()) {
      if (const auto weight = weight_at(text_, i)) {
        pop(round_, weight->value);
        return weight->end;
      }
      if (c == ')') {
        pop(round_, kBracket);
        return i + 1;
      }
    }
    if (c == ']' && !square_.empty()) {
      pop(square_, 1 / kBracket);
      return i + 1;
    }
    if (const bool bounded = i == 0 || !word(text_[i - 1]); bounded && text_.substr(i).starts_with(kBreak)) {
      const auto end = i + kBreak.size();
      if (end == text_.size() || !word(text_[end])) return break_section(end);
    }
    add(c);
    return i + 1;
  }

  void add(char c) {
    if (parts_.empty() || parts_.back().closed) parts_.emplace_back();
    parts_.back().text.push_back(c);
  }

  void close() {
    if (!parts_.empty()) parts_.back().closed = true;
  }

  std::size_t break_section(std::size_t end) {
    if (!parts_.empty() && !parts_.back().closed)
      while (!parts_.back().text.empty() && space(parts_.back().text.back())) parts_.back().text.pop_back();
    close();
    parts_.push_back({.text = {}, .weight = 1, .new_section = true, .closed = true});
    return skip_spaces(text_, end);
  }

  void multiply(std::size_t from, double factor) {
    for (std::size_t i = from; i < parts_.size(); ++i) parts_[i].weight *= factor;
  }

  void pop(std::vector<std::size_t>& open, double factor) {
    multiply(open.back(), factor);
    open.pop_back();
    close();
  }

  std::vector<PromptSection> sections() {
    std::vector<PromptSection> sections(1);
    for (auto& part : parts_) {
      if (part.new_section) sections.emplace_back();
      if (part.text.empty()) continue;
      if (std::abs(part.weight) > kMaxPromptWeight)
        throw std::invalid_argument("a prompt's weights must lie between -10 and 10; one is " + std::to_string(part.weight));
      auto& section = sections.back();
      if (!section.empty() && section.back().weight == part.weight)
        section.back().text += part.text;
      else
        section.push_back({std::move(part.text), part.weight});
    }
    return sections;
  }

  std::string_view text_;
  std::vector<Part> parts_;
  std::vector<std::size_t> round_, square_;  // index of the part that follows each open bracket
};

}  // namespace

std::vector<PromptSection> parse_prompt(std::string_view prompt) {
  if (prompt.size() > kMaxPromptBytes)
    throw std::invalid_argument("a prompt may have " + std::to_string(kMaxPromptBytes) + " bytes; this one has " +
                                std::to_string(prompt.size()));
  return Parser(prompt).parse();
}

}  // namespace kinora::nn
