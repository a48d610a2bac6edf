#pragma once
// RFC 3339 UTC text with milliseconds, e.g. "2026-01-01T00:00:00.000Z".
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/ulid.hpp"

namespace kinora::base {

std::string to_rfc3339(UnixMillis time);
// Accepts an offset (+01:00) and any number of fraction digits (cut to milliseconds). Years 1970-9999.
Result<UnixMillis> from_rfc3339(std::string_view text);
// The current wall clock; the one place that reads it, for roles to hand in.
UnixMillis wall_clock();

}  // namespace kinora::base
