#include "jobs/retry.hpp"

#include <algorithm>
#include <cmath>

namespace kinora::jobs {
namespace {

// A word that names a place or a secret of the worker's machine.
std::string redact_word(std::string_view word) {
  constexpr std::size_t kLongestPlain = 80;
  if (const std::size_t scheme = word.find("://"); scheme != std::string_view::npos) {
    const std::size_t end = word.find_first_of("/?#", scheme + 3);
    const std::size_t at = word.substr(0, end).rfind('@');
    if (at != std::string_view::npos) return "[url]";
    return std::string(word.substr(0, end)) + (end == std::string_view::npos ? "" : "/...");
  }
  if (const std::size_t slash = word.find('/'); slash != std::string_view::npos && word.find('/', slash + 1) != std::string_view::npos) {
    const std::size_t start =
        slash == 0 || word[slash - 1] == '\'' || word[slash - 1] == '"' || word[slash - 1] == '(' || word[slash - 1] == '=' ? slash : 0;
    return std::string(word.substr(0, start)) + "[path]";
  }
  if (word.size() > kLongestPlain) return "[...]";
  return std::string(word);
}

}  // namespace

std::chrono::milliseconds back_off(int number, const RetryPolicy& policy) {
  const double grown = static_cast<double>(policy.initial_ms) * std::pow(policy.coefficient, std::clamp(number - 1, 0, 64));
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(grown, static_cast<double>(policy.max_ms))));
}

RetryDecision decide_retry(const tasks::TaskFailure& failure, int number, const RetryPolicy& policy) {
  if (failure.fault == tasks::Fault::client || failure.fault == tasks::Fault::policy || !failure.retryable) return {};
  if (std::find(policy.on.begin(), policy.on.end(), tasks::name(failure.fault)) == policy.on.end()) return {};
  if (number >= policy.max_attempts) return {};
  return {true, back_off(number, policy)};
}

std::string redact(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    out += redact_word(text.substr(0, end));
    if (end < text.size()) out += ' ';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace kinora::jobs
