#pragma once
// Idempotency keys (developer-api 5.4): the record of a request lives in the same database, for a job in the same transaction.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.hpp"
#include "base/ulid.hpp"
#include "store/sqlite.hpp"

namespace kinora::jobs {

namespace json = base::json;

inline constexpr std::size_t kMaxIdempotencyKeyBytes = 255;

// Lower-case hex of SHA-256(METHOD LF PATH LF PROJECT LF JCS(body)).
std::string fingerprint(std::string_view method, std::string_view path, std::string_view project, const json::value& body);
// The header's value, bare or as a quoted structured string: 1-255 printable ASCII. Errors: invalid.
base::Result<std::string> parse_idempotency_key(std::string_view header);

struct IdempotencyScope {
  std::string project, method, path, key;
  std::string fingerprint;
};

namespace idempotent {
struct Fresh {};       // execute; the record is written (in progress)
struct InProgress {};  // the first is still at work: wait, then 409
struct Mismatch {};    // another body: 422
struct Replay {        // the stored answer
  int status = 200;
  std::string body;      // as stored; empty when `resource` tells what to show in its current state
  std::string resource;  // job_..., art_..., "" for none
};
}  // namespace idempotent
using IdempotencyState = std::variant<idempotent::Fresh, idempotent::InProgress, idempotent::Mismatch, idempotent::Replay>;

// Inside a write. begin() looks the key up and, when it is new (or expired), inserts it as in progress.
base::Result<IdempotencyState> begin_idempotent(store::Connection& connection, const IdempotencyScope& scope, base::UnixMillis now);
base::Status finish_idempotent(store::Connection& connection, const IdempotencyScope& scope, const idempotent::Replay& answer,
                               base::UnixMillis expires_at);
// The answer was 429, 503 or 5xx before a commit: a retry executes.
base::Status abandon_idempotent(store::Connection& connection, const IdempotencyScope& scope);

}  // namespace kinora::jobs
