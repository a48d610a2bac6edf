#pragma once
// Regular expressions that take time linear in the text whatever they say (RE2's syntax without back references, look-around, named
// groups and flags): a strangers' `matches()` must not be able to hang the gateway. Runs all ways through the pattern side by side
// (Thompson 1968). Pure.
//
//   literals . [a-z] [^a-z] \d \D \w \W \s \S, ^ $ ( ) (?: ) | * + ? {m} {m,} {m,n} (m, n <= 100) and their lazy forms
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kinora::runs {

inline constexpr std::size_t kMaxPatternBytes = 512;
inline constexpr std::size_t kMaxPatternSteps = 2000;  // of the compiled pattern

class Pattern {
 public:
  // Errors: invalid, too_large.
  static base::Result<Pattern> compile(std::string_view text);
  // True when the pattern is found anywhere in the text (UTF-8; a wrong byte stands for itself). Takes text.size() * steps().
  bool found_in(std::string_view text) const;
  std::size_t steps() const { return program_.size(); }

 private:
  struct Range {
    char32_t first = 0, last = 0;
  };
  struct Step {
    enum class Op { set, split, jump, begin, end, match } op = Op::match;
    std::uint32_t next = 0, other = 0;  // jump: next; split: both
    std::vector<Range> ranges;
    bool negated = false;
  };
  struct Compiler;
  void follow(std::uint32_t step, bool at_begin, bool at_end, std::vector<std::uint32_t>& list, std::vector<std::uint32_t>& mark,
              std::uint32_t stamp) const;
  std::vector<Step> program_;
};

}  // namespace kinora::runs
