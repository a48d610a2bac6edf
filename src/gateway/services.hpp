#pragma once
// What the route files share: references to the gateway's parts. Everything outlives the routes.
#include <functional>
#include <memory>

#include "gateway/address.hpp"
#include "gateway/event_reader.hpp"
#include "gateway/idempotent_post.hpp"
#include "gateway/media_check.hpp"
#include "gateway/order_links.hpp"
#include "gateway/surface.hpp"
#include "gateway/webhook_sender.hpp"
#include "jobs/engine.hpp"
#include "jobs/links.hpp"
#include "market/market.hpp"
#include "runs/engine.hpp"
#include "store/blobs.hpp"

namespace kinora::gateway {

inline constexpr std::chrono::seconds kUrlLife{3600};  // of the URLs inside jobs and artifacts (developer-api 5.6)

// Why nobody can do the task with that model now (offers.hpp).
using MissingModel = std::function<net::Task<std::optional<std::string>>(std::string task, std::string model)>;

struct Services {
  boost::asio::any_io_executor executor;
  store::Database& database;
  store::Blobs& blobs;
  jobs::Engine& engine;
  runs::Engine& runs;
  IdempotentPosts& once;
  MediaCheck& media;
  EventReader& event_reader;
  const UrlSigner& signer;
  const WebhookKeys& webhook_keys;
  WebhookSender& webhooks;
  net::Reach webhook_reach = net::Reach::public_only;
  const OrderLinks& orders;
  const Address& address;
  base::Bytes cursor_key;
  jobs::Links links;
  std::function<std::string(std::string_view prefix)> new_id;
  std::function<net::Task<std::vector<market::NodeStatus>>()> nodes;
  MissingModel missing_model;
  Clock clock;
  std::uint64_t max_upload_bytes = 0;
  std::chrono::milliseconds heartbeat{};
};

using SharedServices = std::shared_ptr<const Services>;

// Puts endpoints that take the services on the surface: `add("GET", "/v1/runs", "runs:read", list)`.
struct ServiceRoutes {
  Surface& surface;
  SharedServices services;
  void operator()(std::string method, std::string pattern, std::string scope, Task<Answer> (*endpoint)(Call&, const Services&)) const {
    surface.add(std::move(method), std::move(pattern), std::move(scope),
                [services = services, endpoint](Call& call) { return endpoint(call, *services); });
  }
};

// URLs of content, signed for kUrlLife.
jobs::Links make_links(const Address& address, const UrlSigner& signer, Clock clock);

// The `webhook` of a job or run: may its URL be called, is its endpoint there? What is wrong with its shape is left to the engine.
net::Task<tl::expected<void, Problem>> check_subject_webhook(const Services& services, const std::string& project, const json::value& body);

void add_artifact_routes(Surface& surface, SharedServices services);
void add_upload_routes(Surface& surface, SharedServices services);
void add_run_routes(Surface& surface, SharedServices services);
void add_workflow_routes(Surface& surface, SharedServices services);
void add_job_routes(Surface& surface, SharedServices services);
void add_job_log_routes(Surface& surface, SharedServices services);
void add_event_routes(Surface& surface, SharedServices services);
void add_websocket_routes(Surface& surface, SharedServices services);
void add_webhook_routes(Surface& surface, SharedServices services);
void add_webhook_delivery_routes(Surface& surface, SharedServices services);
void add_catalogue_routes(Surface& surface, SharedServices services);
void add_attempt_routes(Surface& surface, SharedServices services);
void add_tus_routes(Surface& surface, SharedServices services);
void add_openapi_routes(Surface& surface, SharedServices services);  // last: they tell of the others

}  // namespace kinora::gateway
