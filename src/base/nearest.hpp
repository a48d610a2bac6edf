#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kinora::base {

// The candidate with the smallest edit distance to `word` (insert, delete, replace, swap of neighbours), if it is near
// enough to be what was meant (at most a third of the word's length, at least 2; or at most `most`): for "did you mean" in error messages.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates, std::size_t most);

}  // namespace kinora::base
