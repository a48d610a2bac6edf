#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace kinora::base {

// A stranger's text, at most `max_bytes` of it, as text that can stand anywhere: whole UTF-8 characters (RFC 3629), no control characters.
// A line's end and a tab become a blank, every other byte that is neither becomes '?'.
std::string printable(std::string_view text, std::size_t max_bytes);

}  // namespace kinora::base
