#include "models/single_file/path_cut.hpp"

#include <algorithm>
#include <charconv>

namespace kinora::models::single_file {

std::optional<std::string_view> PathCut::after(std::string_view parts) const {
  if (rest_.size() < parts.size()) return std::nullopt;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (rest_[i] != (parts[i] == '.' ? separator_ : parts[i])) return std::nullopt;
  if (rest_.size() == parts.size()) return std::string_view();
  if (rest_[parts.size()] != separator_) return std::nullopt;
  return rest_.substr(parts.size() + 1);
}

bool PathCut::take(std::string_view parts) {
  const auto left = after(parts);
  if (left) rest_ = *left;
  return left.has_value();
}

std::optional<std::int64_t> PathCut::take_number() {
  const auto end = std::min(rest_.find(separator_), rest_.size());
  std::int64_t number = 0;
  const char *const begin = rest_.data(), *const behind = begin + end;
  const auto [stop, error] = std::from_chars(begin, behind, number);
  if (error != std::errc() || stop != behind || end > 4 || rest_.front() == '-') return std::nullopt;
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  return number;
}

std::string PathCut::renamed(std::initializer_list<Rename> table) const {
  for (const auto& [from, to] : table)
    if (const auto left = after(from)) return joined({to, *left});
  return std::string(rest_);
}

std::string PathCut::joined(std::initializer_list<std::string_view> parts) const {
  std::string path;
  for (const auto part : parts) {
    if (part.empty()) continue;
    if (!path.empty()) path += separator_;
    path += part;
  }
  if (separator_ != '.') std::replace(path.begin(), path.end(), '.', separator_);
  return path;
}

}  // namespace kinora::models::single_file
