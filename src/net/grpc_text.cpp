#include "net/grpc_text.hpp"

#include <charconv>

#include "net/url.hpp"

namespace kinora::net {

using base::ErrorCode;

std::string encode_grpc_message(std::string_view message) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out += c;
    } else {
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  // A field value cannot begin or end with a space.
  if (out.starts_with(' ')) out.replace(0, 1, "%20");
  if (out.ends_with(' ')) out.replace(out.size() - 1, 1, "%20");
  return out;
}

std::string decode_grpc_message(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto decoded = text[i] == '%' && i + 2 < text.size() ? percent_decode(text.substr(i, 3)) : base::fail(ErrorCode::invalid, "");
    if (decoded) {
      out += *decoded;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<std::chrono::nanoseconds> parse_grpc_timeout(std::string_view text) {
  using namespace std::chrono;
  constexpr std::size_t max_digits = 8;
  if (text.size() < 2 || text.size() > max_digits + 1) return std::nullopt;
  std::int64_t value = 0;
  const char* const digits = text.data();
  const char* const unit = digits + text.size() - 1;
  const auto [end, failed] = std::from_chars(digits, unit, value);
  if (failed != std::errc() || end != unit || value < 0) return std::nullopt;
  switch (*unit) {
    // 99 999 999 hours do not fit into nanoseconds; a year is as good as none.
    case 'H': return hours(std::min<std::int64_t>(value, 365 * 24));
    case 'M': return minutes(std::min<std::int64_t>(value, 365 * 24 * 60));
    case 'S': return seconds(std::min<std::int64_t>(value, 365 * 24 * 3600));
    case 'm': return milliseconds(value);
    case 'u': return microseconds(value);
    case 'n': return nanoseconds(value);
    default: return std::nullopt;
  }
}

std::string format_grpc_timeout(std::chrono::milliseconds timeout) {
  constexpr std::int64_t max_value = 99'999'999;
  const auto count = std::max<std::int64_t>(timeout.count(), 0);
  if (count <= max_value) return std::to_string(count) + "m";
  return std::to_string(std::min(count / 1000, max_value)) + "S";
}

ErrorCode error_code_of(int grpc_status) {
  switch (grpc_status) {
    case 1: return ErrorCode::canceled;
    case 3:
    case 11: return ErrorCode::invalid;
    case 4: return ErrorCode::timeout;
    case 5: return ErrorCode::not_found;
    case 6:
    case 9:
    case 10: return ErrorCode::conflict;
    case 7: return ErrorCode::forbidden;
    case 8: return ErrorCode::exhausted;
    case 12: return ErrorCode::unsupported;
    case 14: return ErrorCode::unavailable;
    case 16: return ErrorCode::unauthenticated;
    default: return ErrorCode::internal;
  }
}

ErrorCode error_code_of_http(int status) {
  switch (status) {
    case 400: return ErrorCode::internal;
    case 401: return ErrorCode::unauthenticated;
    case 403: return ErrorCode::forbidden;
    case 404: return ErrorCode::unsupported;
    case 429:
    case 502:
    case 503:
    case 504: return ErrorCode::unavailable;
    default: return ErrorCode::internal;
  }
}

}  // namespace kinora::net
