#pragma once
// From the event log to deliveries. The log is the outbox: an event is in it exactly when the change that it tells of is. A cursor says how
// far it has been read; deliveries are written and the cursor moved in one transaction, so that no crash loses or doubles one.
// All functions run inside a write of the database.
#include <functional>
#include <map>
#include <string>

#include "gateway/webhook_rows.hpp"
#include "jobs/events.hpp"

namespace kinora::gateway {

inline constexpr int kOutboxBatch = 500;      // events in one transaction
inline constexpr int kMaxRecovered = 10'000;  // events that one recover() looks at

using NewId = std::function<std::string(std::string_view prefix)>;
inline constexpr std::string_view kWebhookTestType = "webhook.test";  // goes to one endpoint only, never by a pattern

struct Expanded {
  std::int64_t cursor = 0;  // the log is read up to here
  bool more = false;
  int deliveries = 0;
};
// Reads the next batch of the log and writes what is to be delivered.
base::Result<Expanded> expand_outbox(store::Connection& connection, base::UnixMillis now, const NewId& new_id);
// The same to the end of the log: before an endpoint changes, what happened so far is delivered by the old rules.
base::Status expand_all(store::Connection& connection, base::UnixMillis now, const NewId& new_id);

WebhookDelivery delivery_of(const jobs::Event& event, const WebhookEndpoint& endpoint, base::UnixMillis now, const NewId& new_id);
// Everything since then that the endpoint wants and has not got is pending again.
struct Recovered {
  int scheduled = 0;
  bool has_more = false;  // call again with `until`
  std::optional<base::UnixMillis> until;
};
base::Result<Recovered> recover_webhook(store::Connection& connection, const WebhookEndpoint& endpoint, base::UnixMillis since,
                                        base::UnixMillis now, const NewId& new_id);

}  // namespace kinora::gateway
