#include "tasks/picture_rate.hpp"

#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

namespace kinora::tasks {
namespace {

constexpr std::int64_t kMaxNumerator = 1'000'000'000;

PictureRate reduced(std::int64_t num, std::int64_t den) {
  const auto common = std::gcd(num, den);
  return {num / common, den / common};
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const char *const begin = text.data(), *const end = begin + text.size();
  const auto read = std::from_chars(begin, end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

base::Result<PictureRate> parse_picture_rate(std::string_view text) {
  const auto wrong = [](const char* why) { return base::fail(base::ErrorCode::invalid, why); };
  PictureRate rate;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    const auto num = number<std::int64_t>(text.substr(0, slash)), den = number<std::int64_t>(text.substr(slash + 1));
    if (!num || !den || *num < 1 || *den < 1 || *num > kMaxNumerator || *den > kMaxNumerator)
      return wrong("must be a rate such as 60, 59.94 or 60000/1001");
    rate = reduced(*num, *den);
  } else {
    const auto value = number<double>(text);
    if (!value || !std::isfinite(*value) || *value <= 0 || *value > 1e6) return wrong("must be a rate such as 60, 59.94 or 60000/1001");
    const double whole = std::round(*value), television = std::round(*value * 1.001);
    if (*value == whole)
      rate = {static_cast<std::int64_t>(whole), 1};
    else if (std::abs(*value - television * 1000 / 1001) < 0.006)
      rate = reduced(static_cast<std::int64_t>(television) * 1000, 1001);
    else
      rate = reduced(std::llround(*value * 1000), 1000);
  }
  if (rate.num < 1 || rate.value() < kMinPictureRate || rate.value() > kMaxPictureRate)
    return wrong("must be from 1 to 480 pictures a second");
  return rate;
}

}  // namespace kinora::tasks
