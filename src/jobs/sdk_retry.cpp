#include "jobs/sdk_retry.hpp"

#include <charconv>

namespace kinora::jobs {
namespace {

using store::Connection;
using store::Statement;

std::int64_t window_start(base::UnixMillis now) { return (now - kSdkRetryWindow).time_since_epoch().count(); }

base::Status done(const base::Result<std::int64_t>& changed) {
  if (!changed) return base::fail(changed.error());
  return {};
}

}  // namespace

std::optional<int> parse_sdk_retry_count(std::string_view header) {
  int count = 0;
  const char *const begin = header.data(), *const end = begin + header.size();
  const auto parsed = std::from_chars(begin, end, count);
  if (header.empty() || parsed.ec != std::errc() || parsed.ptr != end || count < 0 || count > kMaxSdkRetryCount) return std::nullopt;
  return count;
}

base::Result<std::optional<std::string>> find_sdk_try(Connection& connection, const SdkTry& made, base::UnixMillis now) {
  if (made.count == 0) return std::nullopt;
  const std::int64_t bit = std::int64_t{1} << made.count;
  std::string job;
  {
    KINORA_TRY(Statement row, connection.query("SELECT job FROM sdk_tries WHERE key = ? AND fingerprint = ? AND created_at > ? "
                                               "AND count < ? AND (found & ?) = 0 ORDER BY created_at, job LIMIT 1",
                                               made.key, made.fingerprint, window_start(now), made.count, bit));
    KINORA_TRY(const bool there, row.step());
    if (!there) return std::nullopt;
    job = row.text(0);
  }
  KINORA_OK(done(connection.run("UPDATE sdk_tries SET found = found | ? WHERE job = ?", bit, job)));
  return job;
}

base::Status remember_sdk_try(Connection& connection, const SdkTry& made, std::string_view job, base::UnixMillis now) {
  return done(connection.run("INSERT INTO sdk_tries(job, key, fingerprint, created_at, count, found) VALUES(?, ?, ?, ?, ?, 0)", job,
                             made.key, made.fingerprint, now.time_since_epoch().count(), made.count));
}

base::Status forget_sdk_tries(Connection& connection, base::UnixMillis now) {
  return done(connection.run("DELETE FROM sdk_tries WHERE created_at <= ?", window_start(now)));
}

}  // namespace kinora::jobs
