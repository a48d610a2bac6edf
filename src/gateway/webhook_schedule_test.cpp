#include "gateway/webhook_schedule.hpp"

#include <gtest/gtest.h>

namespace kinora::gateway {
namespace {

using namespace std::chrono;

base::UnixMillis at(std::int64_t seconds_) { return base::UnixMillis(seconds(seconds_)); }

TEST(WebhookSchedule, waits_as_the_standard_suggests) {
  const seconds waits[] = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
  for (int tries = 1; tries <= 9; ++tries) EXPECT_EQ(webhook_retry_delay(tries, 0.5, {}), milliseconds(waits[tries - 1])) << tries;
}

TEST(WebhookSchedule, ends_after_ten_tries_more_than_three_days_later) {
  EXPECT_FALSE(webhook_retry_delay(10, 0.5, {}));
  EXPECT_FALSE(webhook_retry_delay(10, 0.5, 60s));
  EXPECT_FALSE(webhook_retry_delay(0, 0.5, {}));
  milliseconds all{};
  for (int tries = 1; tries < kWebhookTries; ++tries) all += *webhook_retry_delay(tries, 0.0, {});
  EXPECT_GT(all, 72h - 7h);
}

TEST(WebhookSchedule, jitter_is_a_tenth_either_way) {
  EXPECT_EQ(webhook_retry_delay(2, 0.0, {}), 270s);
  EXPECT_LE(*webhook_retry_delay(2, 0.999999, {}), 330s);
  EXPECT_GT(*webhook_retry_delay(2, 0.999999, {}), 329s);
}

TEST(WebhookSchedule, retry_after_makes_it_longer_never_shorter) {
  EXPECT_EQ(webhook_retry_delay(1, 0.5, 120s), 120s);
  EXPECT_EQ(webhook_retry_delay(2, 0.5, 1s), 5min);
}

TEST(WebhookVerdict, only_2xx_is_success) {
  for (const int status : {200, 201, 202, 204, 299}) EXPECT_EQ(judge_webhook(status), WebhookVerdict::delivered) << status;
  for (const int status : {100, 300, 301, 302, 303, 307, 308, 400, 401, 404, 409, 500, 501, 503, 0})
    EXPECT_EQ(judge_webhook(status), WebhookVerdict::failed) << status;
  for (const int status : {429, 502, 504}) EXPECT_EQ(judge_webhook(status), WebhookVerdict::throttled) << status;
  EXPECT_EQ(judge_webhook(410), WebhookVerdict::gone);
}

TEST(RetryAfter, is_seconds_or_a_date) {
  EXPECT_EQ(parse_retry_after("120", at(0)), 120s);
  EXPECT_EQ(parse_retry_after("0", at(0)), 0s);
  // 1994-11-06T08:49:37Z is 784111777 (RFC 9110 5.6.7's own example).
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", at(784111777 - 30)), 30s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", at(784111777 + 30)), 0s);
}

TEST(RetryAfter, is_bounded_by_a_day_and_nonsense_is_none) {
  EXPECT_EQ(parse_retry_after("999999", at(0)), 24h);
  EXPECT_EQ(parse_retry_after("99999999999999999999999", at(0)), 24h);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", at(784111777)), 24h);
  for (const char* text : {"", "-1", "soon", "1.5", "12 s", "Sun, 99 Foo 1994"}) EXPECT_FALSE(parse_retry_after(text, at(0))) << text;
}

}  // namespace
}  // namespace kinora::gateway
