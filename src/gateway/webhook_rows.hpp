#pragma once
// The tables of webhooks: endpoints, deliveries, generations of secrets, and how far the event log has been turned into deliveries.
// All functions run inside a write or read of the database.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/webhook_endpoint.hpp"
#include "jobs/job.hpp"
#include "store/database.hpp"

namespace kinora::gateway {

inline constexpr std::size_t kWebhookExcerptBytes = 1024;

// One event on its way to one endpoint; the row also tells of its last try.
struct WebhookDelivery {
  std::string id;  // dlv_...
  std::string endpoint, project;
  std::int64_t event_offset = 0;
  std::string event_id, subject, type;
  bool in_order = true;           // false: a replay or a test, which waits for nothing
  bool last = false;              // of its subject
  std::string state = "pending";  // pending, delivered, failed, skipped
  int tries = 0;
  std::optional<base::UnixMillis> next_at, last_at;
  std::optional<std::int64_t> status_code, duration_ms;
  std::string excerpt, error;
  base::UnixMillis created_at{};
};
json::object to_json(const WebhookDelivery& delivery);

struct SecretGeneration {
  std::int64_t number = 1;
  std::optional<base::UnixMillis> rotated_at;  // until 24 hours after it the one before signs too
};

base::Status migrate_webhooks(store::Database& database);

base::Status insert_webhook(store::Connection& connection, const WebhookEndpoint& endpoint);
base::Status update_webhook(store::Connection& connection, const WebhookEndpoint& endpoint);
base::Result<WebhookEndpoint> find_webhook(store::Connection& connection, std::string_view id);  // not_found
// Those that a client sees, of its project.
base::Result<WebhookEndpoint> find_webhook(store::Connection& connection, std::string_view project, std::string_view id);
base::Result<std::vector<WebhookEndpoint>> list_webhooks(store::Connection& connection, std::string_view project);  // by id
base::Result<std::vector<WebhookEndpoint>> enabled_webhooks(store::Connection& connection);                         // of all projects
// The endpoint behind the URL of a subject's own webhook.
base::Result<std::optional<WebhookEndpoint>> find_subject_webhook(store::Connection& connection, std::string_view project,
                                                                  std::string_view url);
base::Status delete_webhook(store::Connection& connection, std::string_view id);  // with its deliveries

// Does nothing when the endpoint has that event in order already.
base::Status insert_delivery(store::Connection& connection, const WebhookDelivery& delivery);
base::Status update_delivery(store::Connection& connection, const WebhookDelivery& delivery);
base::Result<WebhookDelivery> find_delivery(store::Connection& connection, std::string_view id);  // not_found
base::Result<jobs::Listing<WebhookDelivery>> list_deliveries(store::Connection& connection, std::string_view endpoint,
                                                             const jobs::Page& page);
// What may be sent now, oldest first: of an ordered endpoint only the first pending one of each subject. `busy` holds the endpoints and
// deliveries that are left out.
base::Result<std::vector<WebhookDelivery>> due_deliveries(store::Connection& connection, base::UnixMillis now,
                                                          const json::array& busy_endpoints, const json::array& busy_deliveries, int limit);
// When the next pending delivery becomes due, after `now`.
base::Result<std::optional<base::UnixMillis>> next_due(store::Connection& connection, base::UnixMillis now);
// Pending deliveries of the subject before its last event are skipped when that one is pending.
base::Status skip_superseded(store::Connection& connection, std::string_view endpoint, std::string_view subject);
base::Status fail_pending(store::Connection& connection, std::string_view endpoint, std::string_view error);
base::Status expire_deliveries(store::Connection& connection, base::UnixMillis before);

base::Result<std::int64_t> webhook_cursor(store::Connection& connection);
base::Status set_webhook_cursor(store::Connection& connection, std::int64_t offset);
base::Result<SecretGeneration> secret_generation(store::Connection& connection, std::string_view owner);
base::Status rotate_secret(store::Connection& connection, std::string_view owner, base::UnixMillis now);

}  // namespace kinora::gateway
