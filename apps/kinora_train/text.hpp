#pragma once
// printf into a string. (LibTorch's headers bring another fmt than the system's, so fmt stays out of files that may meet both.)
#include <cstdarg>
#include <cstdio>
#include <string>

namespace kinora::train {

[[gnu::format(printf, 1, 2)]] inline std::string text(const char* format, ...) {
  std::va_list values, again;
  va_start(values, format);
  va_copy(again, values);
  const int length = std::vsnprintf(nullptr, 0, format, values);
  va_end(values);
  std::string out(static_cast<std::size_t>(length < 0 ? 0 : length), '\0');
  std::vsnprintf(out.data(), out.size() + 1, format, again);
  va_end(again);
  return out;
}

}  // namespace kinora::train
