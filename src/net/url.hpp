#pragma once
// URLs, queries and the Range header.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace kinora::net {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // without brackets
  std::uint16_t port = 0;
  std::string target{};  // path and query, at least "/"
  bool tls() const { return scheme == "https"; }
  std::string authority() const;  // host:port, IPv6 in brackets
};
base::Result<Url> parse_url(std::string_view text);
// Where a redirect leads: `location` (absolute or relative, without its fragment) seen from `url`. Error: invalid.
base::Result<std::string> resolve_url(std::string_view url, std::string_view location);

std::string percent_encode(std::string_view text);  // everything but unreserved characters
base::Result<std::string> percent_decode(std::string_view text);
using Query = std::vector<std::pair<std::string, std::string>>;
base::Result<Query> parse_query(std::string_view query);  // decoded, '+' is a space
std::optional<std::string> query_value(const Query& query, std::string_view key);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // included
  std::uint64_t size() const { return last - first + 1; }
};
// RFC 9110 14.2, one range. nullopt: serve the whole (absent, another unit, several ranges, malformed).
// Error invalid: 416, the range lies outside.
base::Result<std::optional<ByteRange>> parse_range(std::optional<std::string_view> header, std::uint64_t size);

}  // namespace kinora::net
