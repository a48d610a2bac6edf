#include "base/nearest.hpp"

#include <algorithm>
#include <vector>

namespace kinora::base {
namespace {

// Damerau-Levenshtein distance, optimal string alignment form.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  return nearest(word, candidates, std::max<std::size_t>(2, word.size() / 3));
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates, std::size_t most) {
  constexpr std::size_t kLongestWord = 64;  // the table is quadratic, the word may be a stranger's
  if (word.size() > kLongestWord) return std::nullopt;
  std::size_t best_distance = most + 1;
  const std::string* best = nullptr;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t far = distance(word, candidate);
    if (far < best_distance) {
      best_distance = far;
      best = &candidate;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

}  // namespace kinora::base
