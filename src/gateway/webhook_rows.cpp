#include "gateway/webhook_rows.hpp"

#include "base/time.hpp"
#include "jobs/keyset.hpp"

namespace kinora::gateway {
namespace {

using store::Connection;
using store::Statement;

constexpr std::string_view kSteps[] = {R"sql(
CREATE TABLE webhooks(
  id TEXT PRIMARY KEY, project TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, detailed INTEGER NOT NULL, ordered INTEGER NOT NULL,
  v1a INTEGER NOT NULL, headers TEXT NOT NULL, enabled INTEGER NOT NULL, disabled_reason TEXT NOT NULL, of_subject INTEGER NOT NULL,
  version INTEGER NOT NULL, created_at INTEGER NOT NULL, last_success_at INTEGER, failure_since INTEGER, paused_until INTEGER,
  after_offset INTEGER NOT NULL
) STRICT;
CREATE INDEX webhooks_by_project ON webhooks(project, id);
CREATE UNIQUE INDEX webhooks_of_subjects ON webhooks(project, url) WHERE of_subject = 1;

CREATE TABLE webhook_deliveries(
  id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, project TEXT NOT NULL, event_offset INTEGER NOT NULL, event_id TEXT NOT NULL,
  subject TEXT NOT NULL, type TEXT NOT NULL, in_order INTEGER NOT NULL, last INTEGER NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL,
  next_at INTEGER, last_at INTEGER, status_code INTEGER, duration_ms INTEGER, excerpt TEXT NOT NULL, error TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries(endpoint, event_offset) WHERE in_order = 1;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries(next_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_line ON webhook_deliveries(endpoint, subject, event_offset) WHERE state = 'pending' AND in_order = 1;
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries(endpoint, created_at, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries(created_at);

CREATE TABLE webhook_cursor(only_row INTEGER PRIMARY KEY CHECK(only_row = 1), "offset" INTEGER NOT NULL) STRICT;
CREATE TABLE webhook_secrets(owner TEXT PRIMARY KEY, generation INTEGER NOT NULL, rotated_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql"};

constexpr std::string_view kColumns =
    "id, project, url, events, detailed, ordered, v1a, headers, enabled, disabled_reason, of_subject, version, created_at, "
    "last_success_at, "
    "failure_since, paused_until, after_offset";
constexpr std::string_view kDeliveryColumns =
    "id, endpoint, project, event_offset, event_id, subject, type, in_order, last, state, tries, next_at, last_at, status_code, "
    "duration_ms, "
    "excerpt, error, created_at";

std::int64_t ms(base::UnixMillis time) { return time.time_since_epoch().count(); }
std::optional<std::int64_t> ms(const std::optional<base::UnixMillis>& time) { return time ? std::optional(ms(*time)) : std::nullopt; }
base::UnixMillis at(std::int64_t value) { return base::UnixMillis(std::chrono::milliseconds(value)); }
std::optional<base::UnixMillis> at(std::optional<std::int64_t> value) { return value ? std::optional(at(*value)) : std::nullopt; }

base::Status done(const base::Result<std::int64_t>& changed) {
  if (!changed) return base::fail(changed.error());
  return {};
}

std::string headers_text(const WebhookEndpoint& endpoint) {
  json::array out;
  for (const auto& [name, value] : endpoint.headers) out.push_back(json::array{name, value});
  return json::serialize(out);
}

WebhookEndpoint read_endpoint(const Statement& row) {
  WebhookEndpoint out;
  out.id = row.text(0);
  out.project = row.text(1);
  out.url = row.text(2);
  const json::value patterns = json::parse(row.text(3));
  for (const json::value& pattern : patterns.as_array()) out.events.emplace_back(pattern.as_string());
  out.detailed = row.integer(4) != 0;
  out.ordered = row.integer(5) != 0;
  out.v1a = row.integer(6) != 0;
  const json::value headers = json::parse(row.text(7));
  for (const json::value& field : headers.as_array())
    out.headers.emplace_back(field.as_array().at(0).as_string(), field.as_array().at(1).as_string());
  out.enabled = row.integer(8) != 0;
  out.disabled_reason = row.text(9);
  out.came_with_subject = row.integer(10) != 0;
  out.version = row.integer(11);
  out.created_at = at(row.integer(12));
  out.last_success_at = at(row.optional_integer(13));
  out.failure_since = at(row.optional_integer(14));
  out.paused_until = at(row.optional_integer(15));
  out.after_offset = row.integer(16);
  return out;
}

WebhookDelivery read_delivery(const Statement& row) {
  WebhookDelivery out;
  out.id = row.text(0);
  out.endpoint = row.text(1);
  out.project = row.text(2);
  out.event_offset = row.integer(3);
  out.event_id = row.text(4);
  out.subject = row.text(5);
  out.type = row.text(6);
  out.in_order = row.integer(7) != 0;
  out.last = row.integer(8) != 0;
  out.state = row.text(9);
  out.tries = static_cast<int>(row.integer(10));
  out.next_at = at(row.optional_integer(11));
  out.last_at = at(row.optional_integer(12));
  out.status_code = row.optional_integer(13);
  out.duration_ms = row.optional_integer(14);
  out.excerpt = row.text(15);
  out.error = row.text(16);
  out.created_at = at(row.integer(17));
  return out;
}

template <class T>
base::Result<std::vector<T>> all(base::Result<Statement> rows, T (*read)(const Statement&)) {
  if (!rows) return base::fail(rows.error());
  std::vector<T> out;
  for (;;) {
    KINORA_TRY(const bool there, rows->step());
    if (!there) return out;
    out.push_back(read(*rows));
  }
}

template <class T>
base::Result<T> one(base::Result<std::vector<T>> rows, std::string_view what) {
  if (!rows) return base::fail(rows.error());
  if (rows->empty()) return base::fail(base::ErrorCode::not_found, "no " + std::string(what) + " of that id");
  return std::move(rows->front());
}

const std::string kSelectWebhook = "SELECT " + std::string(kColumns) + " FROM webhooks WHERE ";
const std::string kSelectDelivery = "SELECT " + std::string(kDeliveryColumns) + " FROM webhook_deliveries WHERE ";

}  // namespace

json::object to_json(const WebhookDelivery& delivery) {
  const auto time = [](const std::optional<base::UnixMillis>& value) {
    return value ? json::value(base::to_rfc3339(*value)) : json::value();
  };
  const auto number = [](const std::optional<std::int64_t>& value) { return value ? json::value(*value) : json::value(); };
  const auto text = [](const std::string& value) { return value.empty() ? json::value() : json::value(value); };
  return {{"id", delivery.id},
          {"object", "webhook_delivery"},
          {"endpoint", delivery.endpoint},
          {"event", delivery.event_id},
          {"type", delivery.type},
          {"subject", delivery.subject},
          {"state", delivery.state},
          {"attempt", delivery.tries},
          {"at", time(delivery.last_at)},
          {"status_code", number(delivery.status_code)},
          {"duration_ms", number(delivery.duration_ms)},
          {"response_excerpt", text(delivery.excerpt)},
          {"error", text(delivery.error)},
          {"next_attempt_at", delivery.state == "pending" ? time(delivery.next_at) : json::value()},
          {"created_at", base::to_rfc3339(delivery.created_at)}};
}

base::Status migrate_webhooks(store::Database& database) { return database.migrate("webhooks", kSteps); }

base::Status insert_webhook(Connection& connection, const WebhookEndpoint& e) {
  return done(connection.run("INSERT INTO webhooks VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", e.id, e.project, e.url,
                             json::serialize(json::value_from(e.events)), e.detailed, e.ordered, e.v1a, headers_text(e), e.enabled,
                             e.disabled_reason, e.came_with_subject, e.version, ms(e.created_at), ms(e.last_success_at),
                             ms(e.failure_since), ms(e.paused_until), e.after_offset));
}

base::Status update_webhook(Connection& connection, const WebhookEndpoint& e) {
  return done(
      connection.run("UPDATE webhooks SET url=?, events=?, detailed=?, ordered=?, v1a=?, headers=?, enabled=?, disabled_reason=?, "
                     "version=?, last_success_at=?, failure_since=?, paused_until=?, after_offset=? WHERE id=?",
                     e.url, json::serialize(json::value_from(e.events)), e.detailed, e.ordered, e.v1a, headers_text(e), e.enabled,
                     e.disabled_reason, e.version, ms(e.last_success_at), ms(e.failure_since), ms(e.paused_until), e.after_offset, e.id));
}

base::Result<WebhookEndpoint> find_webhook(Connection& connection, std::string_view id) {
  return one(all(connection.query(kSelectWebhook + "id = ?", id), read_endpoint), "webhook");
}

base::Result<WebhookEndpoint> find_webhook(Connection& connection, std::string_view project, std::string_view id) {
  return one(all(connection.query(kSelectWebhook + "id = ? AND project = ? AND of_subject = 0", id, project), read_endpoint), "webhook");
}

base::Result<std::vector<WebhookEndpoint>> list_webhooks(Connection& connection, std::string_view project) {
  return all(connection.query(kSelectWebhook + "project = ? AND of_subject = 0 ORDER BY id", project), read_endpoint);
}

base::Result<std::vector<WebhookEndpoint>> enabled_webhooks(Connection& connection) {
  return all(connection.query(kSelectWebhook + "of_subject = 0 AND enabled = 1 ORDER BY id"), read_endpoint);
}

base::Result<std::optional<WebhookEndpoint>> find_subject_webhook(Connection& connection, std::string_view project, std::string_view url) {
  KINORA_TRY(auto found, all(connection.query(kSelectWebhook + "project = ? AND url = ? AND of_subject = 1", project, url), read_endpoint));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

base::Status delete_webhook(Connection& connection, std::string_view id) {
  KINORA_OK(done(connection.run("DELETE FROM webhook_deliveries WHERE endpoint = ?", id)));
  KINORA_OK(done(connection.run("DELETE FROM webhook_secrets WHERE owner = ?", id)));
  return done(connection.run("DELETE FROM webhooks WHERE id = ?", id));
}

base::Status insert_delivery(Connection& connection, const WebhookDelivery& d) {
  return done(connection.run("INSERT OR IGNORE INTO webhook_deliveries VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", d.id, d.endpoint,
                             d.project, d.event_offset, d.event_id, d.subject, d.type, d.in_order, d.last, d.state, d.tries, ms(d.next_at),
                             ms(d.last_at), d.status_code, d.duration_ms, d.excerpt, d.error, ms(d.created_at)));
}

base::Status update_delivery(Connection& connection, const WebhookDelivery& d) {
  return done(
      connection.run("UPDATE webhook_deliveries SET state=?, tries=?, next_at=?, last_at=?, status_code=?, duration_ms=?, excerpt=?, "
                     "error=? WHERE id=?",
                     d.state, d.tries, ms(d.next_at), ms(d.last_at), d.status_code, d.duration_ms, d.excerpt, d.error, d.id));
}

base::Result<WebhookDelivery> find_delivery(Connection& connection, std::string_view id) {
  return one(all(connection.query(kSelectDelivery + "id = ?", id), read_delivery), "delivery");
}

base::Result<jobs::Listing<WebhookDelivery>> list_deliveries(Connection& connection, std::string_view endpoint, const jobs::Page& page) {
  jobs::Keyset keyset(kSelectDelivery + "endpoint = ?", page);
  keyset.add("", std::string(endpoint), true);
  KINORA_TRY(auto rows, all(keyset.query(connection), read_delivery));
  return keyset.listing(std::move(rows));
}

base::Result<std::vector<WebhookDelivery>> due_deliveries(Connection& connection, base::UnixMillis now, const json::array& busy_endpoints,
                                                          const json::array& busy_deliveries, int limit) {
  static const std::string sql =
      "SELECT d.* FROM webhook_deliveries d JOIN webhooks w ON w.id = d.endpoint WHERE d.state = 'pending' AND "
      "d.next_at <= ? AND w.enabled = 1 AND COALESCE(w.paused_until, 0) <= ? AND d.endpoint NOT IN (SELECT value FROM "
      "json_each(?)) AND d.id NOT IN (SELECT value FROM json_each(?)) AND NOT (w.ordered = 1 AND d.in_order = 1 AND "
      "EXISTS(SELECT 1 FROM webhook_deliveries e WHERE e.endpoint = d.endpoint AND e.subject = d.subject AND "
      "e.state = 'pending' AND e.in_order = 1 AND e.event_offset < d.event_offset)) ORDER BY d.next_at LIMIT ?";
  return all(connection.query(sql, ms(now), ms(now), json::serialize(busy_endpoints), json::serialize(busy_deliveries), limit),
             read_delivery);
}

base::Result<std::optional<base::UnixMillis>> next_due(Connection& connection, base::UnixMillis now) {
  KINORA_TRY(auto row, connection.query("SELECT MIN(t) FROM (SELECT MIN(next_at) AS t FROM webhook_deliveries WHERE state = 'pending' AND "
                                        "next_at > ?1 UNION ALL SELECT MIN(paused_until) FROM webhooks WHERE paused_until > ?1)",
                                        ms(now)));
  KINORA_TRY(const bool there, row.step());
  if (!there) return std::nullopt;
  return at(row.optional_integer(0));
}

base::Status skip_superseded(Connection& connection, std::string_view endpoint, std::string_view subject) {
  constexpr std::string_view sql =
      "UPDATE webhook_deliveries SET state = 'skipped', next_at = NULL WHERE endpoint = ?1 AND subject = ?2 AND state = 'pending' AND "
      "in_order = "
      "1 AND last = 0 AND EXISTS(SELECT 1 FROM webhook_deliveries WHERE endpoint = ?1 AND subject = ?2 AND state = 'pending' AND in_order "
      "= 1 "
      "AND last = 1)";
  return done(connection.run(sql, endpoint, subject));
}

base::Status fail_pending(Connection& connection, std::string_view endpoint, std::string_view error) {
  return done(
      connection.run("UPDATE webhook_deliveries SET state = 'failed', next_at = NULL, error = ? WHERE endpoint = ? AND state = 'pending'",
                     error, endpoint));
}

base::Status expire_deliveries(Connection& connection, base::UnixMillis before) {
  KINORA_OK(done(connection.run("DELETE FROM webhook_deliveries WHERE created_at < ?", ms(before))));
  return done(
      connection.run("DELETE FROM webhooks WHERE of_subject = 1 AND created_at < ? AND NOT EXISTS(SELECT 1 FROM webhook_deliveries WHERE "
                     "endpoint = webhooks.id)",
                     ms(before)));
}

base::Result<std::int64_t> webhook_cursor(Connection& connection) {
  KINORA_TRY(auto row, connection.query("SELECT \"offset\" FROM webhook_cursor"));
  KINORA_TRY(const bool there, row.step());
  return there ? row.integer(0) : 0;
}

base::Status set_webhook_cursor(Connection& connection, std::int64_t offset) {
  return done(connection.run("INSERT OR REPLACE INTO webhook_cursor VALUES(1, ?)", offset));
}

base::Result<SecretGeneration> secret_generation(Connection& connection, std::string_view owner) {
  KINORA_TRY(auto row, connection.query("SELECT generation, rotated_at FROM webhook_secrets WHERE owner = ?", owner));
  KINORA_TRY(const bool there, row.step());
  if (!there) return SecretGeneration{};
  return SecretGeneration{row.integer(0), at(row.integer(1))};
}

base::Status rotate_secret(Connection& connection, std::string_view owner, base::UnixMillis now) {
  return done(
      connection.run("INSERT INTO webhook_secrets VALUES(?, 2, ?) ON CONFLICT(owner) DO UPDATE SET generation = generation + 1, rotated_at "
                     "= excluded.rotated_at",
                     owner, ms(now)));
}

}  // namespace kinora::gateway
