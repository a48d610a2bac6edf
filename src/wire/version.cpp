#include "wire/version.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace kinora::wire {
namespace {

using Version = std::array<std::uint64_t, 3>;

// major[.minor[.patch]] with an optional "v" in front and an optional -pre-release or +build behind.
std::optional<Version> parse(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  text = text.substr(0, text.find_first_of("-+"));
  Version version{};
  for (std::size_t i = 0; i < version.size(); ++i) {
    const auto dot = text.find('.');
    const auto part = text.substr(0, dot);
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), version[i]);
    if (part.empty() || error != std::errc{} || end != part.data() + part.size()) return std::nullopt;
    if (dot == std::string_view::npos) return version;
    text.remove_prefix(dot + 1);
  }
  return std::nullopt;
}

}  // namespace

bool version_satisfies(std::string_view minimum, std::string_view version) {
  if (minimum.empty()) return true;
  if (version.empty() || version == "undefined") return false;
  const auto least = parse(minimum);
  if (!least) return true;
  const auto offered = parse(version);
  return offered && *offered >= *least;
}

}  // namespace kinora::wire
