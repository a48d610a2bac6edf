// Deliveries of webhooks (developer-api 5.8): the log, one again, all since a time again, a test.
#include "base/time.hpp"
#include "gateway/list_query.hpp"
#include "gateway/services.hpp"

namespace kinora::gateway {
namespace {

constexpr std::chrono::milliseconds kTestWait{20'000};  // longer than one try takes

std::string id_of(const Call& call) { return std::string(call.request.param("id")); }

base::Result<WebhookDelivery> owned_delivery(store::Connection& db, std::string_view project, std::string_view id) {
  KINORA_TRY(WebhookDelivery delivery, find_delivery(db, id));
  if (delivery.project != project) return base::fail(base::ErrorCode::not_found, "no delivery of that id");
  return delivery;
}

base::Status need_enabled(const WebhookEndpoint& endpoint) {
  if (!endpoint.enabled) return base::fail(base::ErrorCode::invalid, "the webhook is disabled; enable it first");
  return {};
}

Task<Answer> list(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  auto page = read_list_query(query, services.cursor_key, "dlv", {});
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  if (!page) co_return tl::unexpected(std::move(page).error());
  const auto found = co_await services.database.read([&](store::Connection& db) -> base::Result<jobs::Listing<WebhookDelivery>> {
    KINORA_TRY(const WebhookEndpoint endpoint, find_webhook(db, call.caller.project, id_of(call)));
    for (auto [id, key] : {std::pair(&page->after_id, &page->page.after), std::pair(&page->before_id, &page->page.before)}) {
      if (!*id) continue;
      KINORA_TRY(const WebhookDelivery from, owned_delivery(db, call.caller.project, **id));
      *key = jobs::PageKey{from.created_at.time_since_epoch().count(), from.id};
    }
    return list_deliveries(db, endpoint.id, page->page);
  });
  if (!found) co_return jobs::refuse(found.error());
  json::array data;
  for (const WebhookDelivery& delivery : found->data) data.push_back(to_json(delivery));
  std::optional<ListEdge> first, last;
  if (!found->data.empty()) {
    first = ListEdge{found->data.front().id, found->data.front().created_at};
    last = ListEdge{found->data.back().id, found->data.back().created_at};
  }
  co_return Reply::of(200, list_object(std::move(data), found->has_more, first, last, *page, services.cursor_key));
}

Task<Answer> get(Call& call, const Services& services) {
  const auto delivery =
      co_await services.database.read([&](store::Connection& db) { return owned_delivery(db, call.caller.project, id_of(call)); });
  if (!delivery) co_return jobs::refuse(delivery.error());
  co_return Reply::of(200, to_json(*delivery));
}

Task<Answer> replay(Call& call, const Services& services) {
  const auto again = co_await services.database.write([&](store::Connection& db) -> base::Result<WebhookDelivery> {
    KINORA_TRY(const WebhookDelivery first, owned_delivery(db, call.caller.project, id_of(call)));
    KINORA_TRY(const WebhookEndpoint endpoint, find_webhook(db, first.endpoint));
    KINORA_OK(need_enabled(endpoint));
    KINORA_TRY(const jobs::Event event, jobs::find_event(db, first.event_offset));
    WebhookDelivery out = delivery_of(event, endpoint, services.clock(), services.new_id);
    out.in_order = false;
    KINORA_OK(insert_delivery(db, out));
    return out;
  });
  if (!again) co_return jobs::refuse(again.error());
  services.webhooks.wake();
  co_return Reply::of(202, to_json(*again), {{"location", "/v1/webhook-deliveries/" + again->id}});
}

Task<Answer> recover(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  const std::string text = in.required_string("since", 40);
  const auto since = base::from_rfc3339(text);
  if (!text.empty() && !since) in.error("since", "invalid_field", since.error().message);
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  const auto recovered = co_await services.database.write([&](store::Connection& db) -> base::Result<Recovered> {
    KINORA_TRY(const WebhookEndpoint endpoint, find_webhook(db, call.caller.project, id_of(call)));
    KINORA_OK(need_enabled(endpoint));
    return recover_webhook(db, endpoint, *since, services.clock(), services.new_id);
  });
  if (!recovered) co_return jobs::refuse(recovered.error());
  services.webhooks.wake();
  co_return Reply::of(202, json::object{{"object", "webhook_recovery"},
                                        {"since", base::to_rfc3339(*since)},
                                        {"scheduled", recovered->scheduled},
                                        {"has_more", recovered->has_more},
                                        {"until", recovered->until ? json::value(base::to_rfc3339(*recovered->until)) : json::value()}});
}

Task<Answer> test(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  base::ObjectReader in(*body, "", errors);
  in.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  const auto made = co_await services.database.write([&](store::Connection& db) -> base::Result<WebhookDelivery> {
    KINORA_TRY(const WebhookEndpoint endpoint, find_webhook(db, call.caller.project, id_of(call)));
    KINORA_OK(need_enabled(endpoint));
    const auto now = services.clock();
    jobs::Event event;
    event.id = services.new_id("evt");
    event.project = endpoint.project;
    event.subject = endpoint.id;
    event.type = kWebhookTestType;
    event.time = now;
    event.data = json::object{{"id", endpoint.id}, {"object", "webhook"}, {"message", "This is a test."}};
    KINORA_TRY(event.offset, jobs::append_event(db, event));
    WebhookDelivery out = delivery_of(event, endpoint, now, services.new_id);
    out.in_order = false;
    KINORA_OK(insert_delivery(db, out));
    return out;
  });
  if (!made) co_return jobs::refuse(made.error());
  services.webhooks.wake();
  co_await services.webhooks.wait_for_try(made->id, kTestWait);
  const auto after = co_await services.database.read([&](store::Connection& db) { return find_delivery(db, made->id); });
  if (!after) co_return jobs::refuse(after.error());
  co_return Reply::of(after->tries > 0 ? 200 : 202, to_json(*after), {{"location", "/v1/webhook-deliveries/" + after->id}});
}

}  // namespace

void add_webhook_delivery_routes(Surface& surface, SharedServices services) {
  surface.add("GET", "/v1/webhooks/{id}/deliveries", "webhooks:read", [services](Call& call) { return list(call, *services); });
  surface.add("POST", "/v1/webhooks/{id}/recover", "webhooks:write", [services](Call& call) { return recover(call, *services); });
  surface.add("POST", "/v1/webhooks/{id}/test", "webhooks:write", [services](Call& call) { return test(call, *services); });
  surface.add("GET", "/v1/webhook-deliveries/{id}", "webhooks:read", [services](Call& call) { return get(call, *services); });
  surface.add("POST", "/v1/webhook-deliveries/{id}/replay", "webhooks:write", [services](Call& call) { return replay(call, *services); });
}

}  // namespace kinora::gateway
