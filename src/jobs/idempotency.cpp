#include "jobs/idempotency.hpp"

#include <chrono>

#include "base/bytes.hpp"

namespace kinora::jobs {
namespace {

using store::Connection;
using store::Statement;

constexpr std::chrono::hours kInProgressLife{24};

std::int64_t millis(base::UnixMillis time) { return time.time_since_epoch().count(); }

}  // namespace

std::string fingerprint(std::string_view method, std::string_view path, std::string_view project, const json::value& body) {
  std::string text;
  for (const std::string_view line : {method, path, project}) {
    text += line;
    text += '\n';
  }
  text += base::canonical_json(body);
  return base::to_hex(base::sha256(base::as_bytes(text)));
}

base::Result<std::string> parse_idempotency_key(std::string_view header) {
  std::string key(header);
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"') {
    std::string bare;
    for (std::size_t i = 1; i + 1 < key.size(); ++i) {
      // RFC 8941 section 3.3.3: only \" and \\ are escapes.
      if (key[i] == '"') return base::fail(base::ErrorCode::invalid, "Idempotency-Key: stray quote");
      if (key[i] == '\\') {
        ++i;
        if (i + 1 >= key.size() || (key[i] != '"' && key[i] != '\\'))
          return base::fail(base::ErrorCode::invalid, "Idempotency-Key: wrong escape");
      }
      bare += key[i];
    }
    key = std::move(bare);
  }
  if (key.empty() || key.size() > kMaxIdempotencyKeyBytes)
    return base::fail(base::ErrorCode::invalid, "Idempotency-Key: must have 1 to 255 characters");
  for (const char c : key)
    if (c < 0x20 || c > 0x7e) return base::fail(base::ErrorCode::invalid, "Idempotency-Key: must be printable ASCII");
  return key;
}

base::Result<IdempotencyState> begin_idempotent(Connection& connection, const IdempotencyScope& scope, base::UnixMillis now) {
  KINORA_TRY(const auto expired,
             connection.run("DELETE FROM idempotency WHERE project = ? AND method = ? AND path = ? AND key = ? AND expires_at <= ?",
                            scope.project, scope.method, scope.path, scope.key, millis(now)));
  static_cast<void>(expired);
  {
    KINORA_TRY(Statement row, connection.query("SELECT fingerprint, done, status, body, resource FROM idempotency "
                                               "WHERE project = ? AND method = ? AND path = ? AND key = ?",
                                               scope.project, scope.method, scope.path, scope.key));
    KINORA_TRY(const bool there, row.step());
    if (there) {
      if (row.text(0) != scope.fingerprint) return IdempotencyState(idempotent::Mismatch{});
      if (row.integer(1) == 0) return IdempotencyState(idempotent::InProgress{});
      return IdempotencyState(idempotent::Replay{static_cast<int>(row.integer(2)), std::string(row.text(3)), std::string(row.text(4))});
    }
  }
  KINORA_TRY(const auto added,
             connection.run(
                 "INSERT INTO idempotency(project, method, path, key, fingerprint, done, status, body, resource, created_at, expires_at) "
                 "VALUES(?, ?, ?, ?, ?, 0, 0, '', '', ?, ?)",
                 scope.project, scope.method, scope.path, scope.key, scope.fingerprint, millis(now), millis(now + kInProgressLife)));
  static_cast<void>(added);
  return IdempotencyState(idempotent::Fresh{});
}

base::Status finish_idempotent(Connection& connection, const IdempotencyScope& scope, const idempotent::Replay& answer,
                               base::UnixMillis expires_at) {
  KINORA_TRY(const auto changed, connection.run("UPDATE idempotency SET done = 1, status = ?, body = ?, resource = ?, expires_at = ? "
                                                "WHERE project = ? AND method = ? AND path = ? AND key = ?",
                                                answer.status, answer.body, answer.resource, millis(expires_at), scope.project,
                                                scope.method, scope.path, scope.key));
  if (changed != 1) return base::fail(base::ErrorCode::conflict, "the idempotency record has gone");
  return {};
}

base::Status abandon_idempotent(Connection& connection, const IdempotencyScope& scope) {
  KINORA_TRY(const auto changed,
             connection.run("DELETE FROM idempotency WHERE project = ? AND method = ? AND path = ? AND key = ? AND done = 0", scope.project,
                            scope.method, scope.path, scope.key));
  static_cast<void>(changed);
  return {};
}

}  // namespace kinora::jobs
