#pragma once
// A webhook endpoint (developer-api 5.8): what it is, how it is shown, how a body is read into it. Pure.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/ulid.hpp"
#include "net/reach.hpp"

namespace kinora::gateway {

namespace json = base::json;

inline constexpr std::size_t kMaxWebhooks = 100;  // of a project
inline constexpr std::size_t kMaxWebhookHeaders = 16;
inline constexpr std::size_t kMaxWebhookHeaderBytes = 1024;

struct WebhookEndpoint {
  std::string id;  // whk_...
  std::string project;
  std::string url;
  std::vector<std::string> events;  // patterns; empty: all
  bool detailed = false;            // the whole resource instead of a thin snapshot
  bool ordered = true;              // of a subject one delivery after the other
  bool v1a = false;                 // signed with Ed25519 too
  std::vector<std::pair<std::string, std::string>> headers;
  bool enabled = true;
  std::string disabled_reason;     // owner, gone (410), failing
  bool came_with_subject = false;  // the URL of a job's or run's own webhook; not listed
  std::int64_t version = 1;
  base::UnixMillis created_at{};
  std::optional<base::UnixMillis> last_success_at, failure_since, paused_until;
  std::int64_t after_offset = 0;  // only events after it

  // Whose secret signs: its own, or the project's default one.
  const std::string& secret_owner() const { return came_with_subject ? project : id; }
};

json::object to_json(const WebhookEndpoint& endpoint);

// What a webhook may be sent to. https and public addresses, or with Reach::anywhere also http and private ones.
// Errors: invalid (no URL, not https), forbidden (an address that is not public). Names are judged when they are looked up.
base::Status check_webhook_url(std::string_view url, net::Reach reach);

// The members of `body` into `endpoint`; those that are absent stay as they are (PATCH). `create`: url is required.
void read_webhook_body(const json::value& body, bool create, net::Reach reach, WebhookEndpoint& endpoint, base::FieldErrors& errors);

}  // namespace kinora::gateway
