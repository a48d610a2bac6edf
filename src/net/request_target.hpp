#pragma once
// From a message head to the Request that handlers see.
#include <string_view>

#include "net/exchange.hpp"

namespace kinora::net {

struct Target {
  std::string path;   // decoded, begins with '/'
  std::string query;  // raw
};
// Origin form, absolute form (its host is ignored) or "*". Runs of '/' become one. Errors: invalid for anything else, for bad
// percent encoding, NUL, and "." or ".." segments (also encoded ones): no honest client sends them, and every use of a path
// would have to think of them.
base::Result<Target> parse_target(std::string_view target);
// A target that cannot be parsed gives a request with an empty path, and why as the parameter kMalformed: it is to be answered by 400, as
// Router does.
inline constexpr std::string_view kMalformed = "malformed";
Request make_request(const MessageHead& head, const Peer& peer);

}  // namespace kinora::net
