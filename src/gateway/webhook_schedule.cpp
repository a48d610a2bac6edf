#include "gateway/webhook_schedule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>

namespace kinora::gateway {

using namespace std::chrono;

WebhookVerdict judge_webhook(int status) {
  if (status >= 200 && status < 300) return WebhookVerdict::delivered;
  if (status == 410) return WebhookVerdict::gone;
  if (status == 429 || status == 502 || status == 504) return WebhookVerdict::throttled;
  return WebhookVerdict::failed;
}

std::optional<milliseconds> webhook_retry_delay(int tries, double random, std::optional<seconds> retry_after) {
  constexpr std::array<seconds, kWebhookTries - 1> kWaits{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
  constexpr double kJitter = 0.1;
  if (tries < 1 || tries > static_cast<int>(kWaits.size())) return std::nullopt;
  const milliseconds wait = kWaits[static_cast<std::size_t>(tries - 1)];
  const double factor = 1 + kJitter * (2 * random - 1);
  const auto jittered = duration_cast<milliseconds>(duration<double, std::milli>(static_cast<double>(wait.count()) * factor));
  return std::max(jittered, duration_cast<milliseconds>(retry_after.value_or(0s)));
}

std::optional<seconds> parse_retry_after(std::string_view text, base::UnixMillis now) {
  const seconds most = kWebhookMaxRetryAfter;
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} ? std::min(seconds(value), most) : most;
  }
  std::tm utc{};
  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  in >> std::get_time(&utc, "%a, %d %b %Y %H:%M:%S GMT");
  if (in.fail()) return std::nullopt;
  const auto time = sys_seconds(seconds(timegm(&utc)));
  return std::clamp<seconds>(ceil<seconds>(time - now), 0s, most);
}

}  // namespace kinora::gateway
