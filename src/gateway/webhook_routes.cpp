// Webhook endpoints (developer-api 5.8): create, list, get, change, delete, rotate the secret, keys for verifying.
#include "base/time.hpp"
#include "gateway/content_headers.hpp"
#include "gateway/services.hpp"
#include "gateway/webhook_result.hpp"
#include "jobs/subject_hook.hpp"

namespace kinora::gateway {
namespace {

constexpr std::string_view kDefault = "default";  // in place of an id: the secret of webhooks that come with a job or run

std::string id_of(const Call& call) { return std::string(call.request.param("id")); }
std::string etag_of(const WebhookEndpoint& endpoint) { return "\"" + std::to_string(endpoint.version) + "\""; }

Reply reply_of(int status, const WebhookEndpoint& endpoint) { return Reply::of(status, to_json(endpoint), {{"etag", etag_of(endpoint)}}); }

std::string secret_of(const Services& services, std::string_view owner, const SecretGeneration& generation) {
  return webhook_secret_text(services.webhook_keys.secret(owner, generation.number));
}

// Inside a write: only what happens from now on is for the endpoint as it becomes.
base::Status begin_from_now(store::Connection& db, const Services& services, WebhookEndpoint& endpoint) {
  KINORA_TRY(const auto unwatched, unwatched_until(db));
  if (unwatched)
    KINORA_OK(set_webhook_cursor(db, *unwatched));
  else
    KINORA_OK(expand_all(db, services.clock(), services.new_id));
  KINORA_TRY(endpoint.after_offset, jobs::newest_event(db));
  return {};
}

Task<Answer> create(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  WebhookEndpoint endpoint;
  read_webhook_body(*body, true, services.webhook_reach, endpoint, errors);
  if (!errors.empty()) co_return refuse(std::move(errors));
  const auto make = [&]() -> Task<tl::expected<Created, Problem>> {
    endpoint.id = services.new_id("whk");
    endpoint.project = call.caller.project;
    endpoint.created_at = services.clock();
    const auto stored = co_await services.database.write([&](store::Connection& db) -> base::Status {
      KINORA_TRY(const auto others, list_webhooks(db, endpoint.project));
      if (others.size() >= kMaxWebhooks)
        return base::fail(base::ErrorCode::forbidden,
                          "a project has at most " + std::to_string(kMaxWebhooks) + " webhooks; delete unused ones");
      KINORA_OK(begin_from_now(db, services, endpoint));
      return insert_webhook(db, endpoint);
    });
    if (!stored) co_return jobs::refuse(stored.error());
    Created out;
    json::object shown = to_json(endpoint);
    out.stored_body = json::serialize(shown);  // a replay does not show the secret again
    shown["secret"] = secret_of(services, endpoint.id, {});
    out.reply = Reply::of(201, shown, {{"location", "/v1/webhooks/" + endpoint.id}, {"etag", etag_of(endpoint)}});
    co_return out;
  };
  co_return co_await services.once.run(call, *body, make);
}

Task<Answer> list(Call& call, const Services& services) {
  base::FieldErrors errors;
  QueryReader query(call.request.query, errors);
  query.finish();
  if (!errors.empty()) co_return refuse(std::move(errors));
  const auto all = co_await services.database.read([&](store::Connection& db) { return list_webhooks(db, call.caller.project); });
  if (!all) co_return jobs::refuse(all.error());
  json::array data;
  for (const WebhookEndpoint& endpoint : *all) data.push_back(to_json(endpoint));
  const auto edge = [&](bool first) { return all->empty() ? json::value() : json::value(first ? all->front().id : all->back().id); };
  const json::value first = edge(true), last = edge(false);
  co_return Reply::of(200, json::object{{"object", "list"},
                                        {"data", std::move(data)},
                                        {"has_more", false},
                                        {"first_id", first},
                                        {"last_id", last},
                                        {"next_cursor", nullptr}});
}

Task<Answer> get(Call& call, const Services& services) {
  const auto endpoint =
      co_await services.database.read([&](store::Connection& db) { return find_webhook(db, call.caller.project, id_of(call)); });
  if (!endpoint) co_return jobs::refuse(endpoint.error());
  if (const auto known = call.request.headers.get("if-none-match"); known && etag_listed(*known, etag_of(*endpoint)))
    co_return Reply::empty(304, {{"etag", etag_of(*endpoint)}});
  co_return reply_of(200, *endpoint);
}

Task<Answer> change(Call& call, const Services& services) {
  auto body = co_await call.read_json();
  if (!body) co_return tl::unexpected(std::move(body).error());
  base::FieldErrors errors;
  const auto if_match = call.request.headers.get("if-match");
  const auto changed = co_await services.database.write([&](store::Connection& db) -> base::Result<WebhookEndpoint> {
    KINORA_TRY(WebhookEndpoint endpoint, find_webhook(db, call.caller.project, id_of(call)));
    if (if_match && !etag_listed(*if_match, etag_of(endpoint)))
      return base::fail(base::ErrorCode::conflict, "the webhook has changed; it is at version " + std::to_string(endpoint.version));
    const WebhookEndpoint before = endpoint;
    read_webhook_body(*body, false, services.webhook_reach, endpoint, errors);
    if (!errors.empty()) return base::fail(base::ErrorCode::invalid, "");
    if (endpoint.events != before.events || endpoint.enabled != before.enabled) KINORA_OK(begin_from_now(db, services, endpoint));
    if (!endpoint.enabled && before.enabled) KINORA_OK(fail_pending(db, endpoint.id, "the endpoint was disabled"));
    ++endpoint.version;
    KINORA_OK(update_webhook(db, endpoint));
    return endpoint;
  });
  if (!errors.empty()) co_return refuse(std::move(errors));
  if (!changed && changed.error().code == base::ErrorCode::conflict) co_return refuse("version_conflict", changed.error().message);
  if (!changed) co_return jobs::refuse(changed.error());
  services.webhooks.wake();
  co_return reply_of(200, *changed);
}

Task<Answer> remove(Call& call, const Services& services) {
  const auto done = co_await services.database.write([&](store::Connection& db) -> base::Status {
    KINORA_TRY(const WebhookEndpoint endpoint, find_webhook(db, call.caller.project, id_of(call)));
    return delete_webhook(db, endpoint.id);
  });
  if (!done) co_return jobs::refuse(done.error());
  co_return Reply::empty(204);
}

json::object secret_json(const Services& services, std::string_view owner, const SecretGeneration& generation) {
  json::object out{{"object", "webhook_secret"}, {"secret", secret_of(services, owner, generation)}, {"previous_until", nullptr}};
  if (generation.rotated_at && services.clock() - *generation.rotated_at < kSecretOverlap)
    out["previous_until"] = base::to_rfc3339(*generation.rotated_at + kSecretOverlap);
  return out;
}

Task<Answer> default_secret(Call& call, const Services& services) {
  if (id_of(call) != kDefault) co_return refuse("not_found", "the secret of an endpoint is shown once; rotate it to get a new one");
  const auto generation =
      co_await services.database.read([&](store::Connection& db) { return secret_generation(db, call.caller.project); });
  if (!generation) co_return jobs::refuse(generation.error());
  co_return Reply::of(200, secret_json(services, call.caller.project, *generation));
}

Task<Answer> rotate(Call& call, const Services& services) {
  const std::string owner = id_of(call) == kDefault ? call.caller.project : id_of(call);
  const auto generation = co_await services.database.write([&](store::Connection& db) -> base::Result<SecretGeneration> {
    if (owner != call.caller.project) {
      KINORA_TRY(const WebhookEndpoint endpoint, find_webhook(db, call.caller.project, owner));
      static_cast<void>(endpoint);
    }
    KINORA_OK(rotate_secret(db, owner, services.clock()));
    return secret_generation(db, owner);
  });
  if (!generation) co_return jobs::refuse(generation.error());
  co_return Reply::of(200, secret_json(services, owner, *generation));
}

}  // namespace

Task<tl::expected<void, Problem>> check_subject_webhook(const Services& services, const std::string& project, const json::value& body) {
  base::FieldErrors shape, errors;
  base::ObjectReader in(body, "", shape);
  const auto hook = jobs::read_subject_hook(in, "webhook", shape);
  if (!hook || !shape.empty()) co_return tl::expected<void, Problem>{};
  if (!hook->url.empty()) {
    const auto ok = check_webhook_url(hook->url, services.webhook_reach);
    if (!ok) errors.push_back({"/webhook/url", "not_allowed", ok.error().message});
  } else {
    const auto found = co_await services.database.read([&](store::Connection& db) { return find_webhook(db, project, hook->endpoint); });
    if (!found) errors.push_back({"/webhook/endpoint", "not_allowed", found.error().message});
  }
  if (!errors.empty()) co_return refuse(std::move(errors));
  co_return tl::expected<void, Problem>{};
}

void add_webhook_routes(Surface& surface, SharedServices services) {
  surface.add("POST", "/v1/webhooks", "webhooks:write", [services](Call& call) { return create(call, *services); });
  surface.add("GET", "/v1/webhooks", "webhooks:read", [services](Call& call) { return list(call, *services); });
  surface.add("GET", "/v1/webhooks/{id}", "webhooks:read", [services](Call& call) { return get(call, *services); });
  surface.add("PATCH", "/v1/webhooks/{id}", "webhooks:write", [services](Call& call) { return change(call, *services); });
  surface.add("DELETE", "/v1/webhooks/{id}", "webhooks:write", [services](Call& call) { return remove(call, *services); });
  surface.add("GET", "/v1/webhooks/{id}/secret", "webhooks:write", [services](Call& call) { return default_secret(call, *services); });
  surface.add("POST", "/v1/webhooks/{id}/rotate-secret", "webhooks:write", [services](Call& call) { return rotate(call, *services); });
  surface.add("GET", "/.well-known/webhook-keys.json", Access::open, "", [services](Call&) -> Task<Answer> {
    co_return Reply::of(200, services->webhook_keys.jwks(), {{"cache-control", "public, max-age=3600"}});
  });
}

}  // namespace kinora::gateway
