#include "base/time.hpp"

#include <fmt/format.h>

#include <optional>

namespace kinora::base {
namespace {

using namespace std::chrono;

std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<UnixMillis> parse(std::string_view text) {
  const auto y = digits(text, 4);
  if (!y || *y < 1970 || !take(text, "-")) return std::nullopt;
  const auto mo = digits(text, 2);
  if (!mo || !take(text, "-")) return std::nullopt;
  const auto d = digits(text, 2);
  if (!d || !take(text, "Tt ")) return std::nullopt;
  const auto h = digits(text, 2);
  if (!h || *h > 23 || !take(text, ":")) return std::nullopt;
  const auto mi = digits(text, 2);
  if (!mi || *mi > 59 || !take(text, ":")) return std::nullopt;
  const auto s = digits(text, 2);
  if (!s || *s > 60) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  milliseconds fraction{0};
  if (take(text, ".")) {
    int scale = 100;
    std::size_t seen = 0;
    while (const auto digit = digits(text, 1)) {
      fraction += milliseconds(*digit * scale);
      scale /= 10;
      ++seen;
    }
    if (seen == 0) return std::nullopt;
  }
  minutes offset{0};
  if (!take(text, "Zz")) {
    const bool negative = text.starts_with('-');
    if (!take(text, "+-")) return std::nullopt;
    const auto oh = digits(text, 2);
    if (!oh || *oh > 23 || !take(text, ":")) return std::nullopt;
    const auto om = digits(text, 2);
    if (!om || *om > 59) return std::nullopt;
    offset = (negative ? -1 : 1) * (hours(*oh) + minutes(*om));
  }
  if (!text.empty()) return std::nullopt;
  return sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s) + fraction - offset;
}

}  // namespace

std::string to_rfc3339(UnixMillis time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<UnixMillis> from_rfc3339(std::string_view text) {
  if (const auto time = parse(text)) return *time;
  return fail(ErrorCode::invalid, "not an RFC 3339 time such as 2026-01-01T00:00:00Z");
}

UnixMillis wall_clock() { return floor<milliseconds>(system_clock::now()); }

}  // namespace kinora::base
