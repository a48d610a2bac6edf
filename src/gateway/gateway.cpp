#include "gateway/gateway.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/log.hpp"
#include "gateway/key_routes.hpp"
#include "gateway/media_verifier.hpp"
#include "gateway/network_executor.hpp"
#include "gateway/offers.hpp"
#include "gateway/secret_file.hpp"
#include "gateway/services.hpp"
#include "gateway/tus_rows.hpp"
#include "gateway/upload_completion.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::gateway {
namespace asio = boost::asio;
namespace {

constexpr std::string_view kKid = "1";

net::Task<void> discover(market::Market& market, std::string task) { (void)co_await market.discover(std::move(task)); }

// All at once: a node that does not answer costs one time-out, not one per task.
net::Task<void> discover_all(market::Market& market, std::span<const tasks::TaskSpec> catalogue) {
  using namespace asio::experimental::awaitable_operators;
  if (catalogue.empty()) co_return;
  if (catalogue.front().internal)
    co_await discover_all(market, catalogue.subspan(1));
  else
    co_await (discover(market, std::string(catalogue.front().name)) && discover_all(market, catalogue.subspan(1)));
}

}  // namespace

// In order of construction: what is below uses what is above.
struct Gateway::Parts {
  Parts(asio::any_io_executor executor_, GatewaySettings settings_, Clock clock_, base::Bytes secret_)
      : executor(std::move(executor_)),
        settings(std::move(settings_)),
        clock(std::move(clock_)),
        secret(std::move(secret_)),
        pool(std::max(1u, settings.io_threads)),
        signer(derive_key(secret, "url"), std::string(kKid)),
        orders(address, signer, derive_key(secret, "attempt")),
        webhook_keys(secret),
        links(make_links(address, signer, clock)),
        background(executor) {}
  ~Parts() {
    if (network.on_change) network.on_change({});
  }

  asio::any_io_executor executor;
  GatewaySettings settings;
  Clock clock;
  base::Bytes secret;
  Address address;
  base::UlidSource ids;
  asio::thread_pool pool;
  UrlSigner signer;
  OrderLinks orders;
  WebhookKeys webhook_keys;
  jobs::Links links;
  Network network;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<store::Blobs> blobs;
  std::unique_ptr<KeyStore> keys;
  std::unique_ptr<IdempotentPosts> once;
  std::unique_ptr<MediaCheck> media;
  std::unique_ptr<MediaVerifier> verifier;
  std::unique_ptr<jobs::Executor> carrier;
  std::unique_ptr<jobs::Engine> engine;
  std::unique_ptr<InputFetcher> fetcher;
  std::unique_ptr<runs::Engine> runs;
  std::unique_ptr<EventReader> event_reader;
  std::unique_ptr<WebhookSender> webhooks;
  SharedServices services;
  net::TaskGroup background;
  std::unique_ptr<net::Router> router;
  bool started = false;
};

Network Network::over(market::Market& market) {
  Network network;
  network.make_executor = [&market](const OrderLinks& links) { return std::make_unique<NetworkExecutor>(market, links); };
  network.nodes = [&market]() -> net::Task<std::vector<market::NodeStatus>> {
    co_await discover_all(market, tasks::catalogue());
    co_return market.nodes();
  };
  network.nodes_for = [&market](std::string task, std::string model) -> net::Task<std::vector<market::NodeStatus>> {
    co_await discover(market, task);
    if (!model.empty()) co_await discover(market, task + ":" + model);
    co_return market.nodes();
  };
  network.on_change = [&market](std::function<void()> listener) { market.on_change(std::move(listener)); };
  return network;
}

base::Result<std::unique_ptr<Gateway>> Gateway::open(asio::any_io_executor executor, GatewaySettings settings, proc::MediaTool media,
                                                     Network network, std::function<base::UnixMillis()> clock) {
  std::error_code error;
  std::filesystem::create_directories(settings.data_dir, error);
  if (error) return base::fail(base::ErrorCode::io, "cannot make " + settings.data_dir.string() + ": " + error.message());
  KINORA_TRY(base::Bytes secret, load_or_create_secret(settings.data_dir / "gateway.secret"));
  auto parts = std::make_unique<Parts>(executor, std::move(settings), std::move(clock), std::move(secret));
  Parts& p = *parts;
  store::DatabaseSettings database;
  database.path = p.settings.data_dir / "gateway.db";
  KINORA_TRY(p.database, store::Database::open(executor, std::move(database)));
  KINORA_OK(KeyStore::migrate(*p.database));
  KINORA_OK(migrate_webhooks(*p.database));
  KINORA_OK(migrate_tus(*p.database));
  KINORA_TRY(p.blobs, store::Blobs::open(executor, p.pool, p.settings.data_dir / "blobs"));
  p.keys = std::make_unique<KeyStore>(*p.database, p.ids);
  p.once = std::make_unique<IdempotentPosts>(executor, *p.database, p.clock);
  p.media = std::make_unique<MediaCheck>(executor, std::move(media), p.settings.media_processes);
  p.verifier = std::make_unique<MediaVerifier>(*p.blobs, *p.media, p.settings.verify);
  p.network = std::move(network);
  p.carrier = p.network.make_executor(p.orders);
  p.engine = std::make_unique<jobs::Engine>(executor, *p.database, *p.blobs, *p.carrier, *p.verifier, p.settings.engine, p.clock);
  p.fetcher = std::make_unique<InputFetcher>(executor, *p.engine, *p.blobs, *p.media, p.settings.fetch);
  p.engine->set_url_media({.check = [fetcher = p.fetcher.get()](std::string_view url) { return fetcher->check(url); },
                           .fetch = [fetcher = p.fetcher.get()](jobs::Upload upload) { fetcher->fetch(std::move(upload)); },
                           .stop = [fetcher = p.fetcher.get()](const std::string& upload) { fetcher->stop(upload); }});
  const MissingModel missing = [ask = p.network.nodes_for](std::string task, std::string model) -> net::Task<std::optional<std::string>> {
    const std::string named = model.starts_with("auto") ? std::string() : model.substr(0, model.find('@'));
    co_return missing_model(co_await ask(task, named), task, named);
  };
  runs::EngineSettings run_settings;
  run_settings.missing_model = missing;
  run_settings.weights_digest = [ask = p.network.nodes_for](std::string task, std::string model) -> net::Task<std::optional<std::string>> {
    const std::string named = model.starts_with("auto") ? std::string() : model.substr(0, model.find('@'));
    co_return weights_digest(co_await ask(task, named), task, named);
  };
  p.runs = std::make_unique<runs::Engine>(executor, *p.database, *p.engine, std::move(run_settings), p.clock);
  if (p.network.on_change) p.network.on_change([engine = p.engine.get()] { engine->wake(); });
  const auto new_id = [ids = &p.ids, now = p.clock](std::string_view prefix) { return ids->next_id(prefix, now()); };
  p.webhooks =
      std::make_unique<WebhookSender>(executor, *p.database, *p.engine, p.webhook_keys, p.links, new_id, p.clock, p.settings.webhooks);
  p.event_reader = std::make_unique<EventReader>(executor, *p.engine, p.links);
  p.services = std::make_shared<Services>(Services{.executor = executor,
                                                   .database = *p.database,
                                                   .blobs = *p.blobs,
                                                   .engine = *p.engine,
                                                   .runs = *p.runs,
                                                   .once = *p.once,
                                                   .media = *p.media,
                                                   .event_reader = *p.event_reader,
                                                   .signer = p.signer,
                                                   .webhook_keys = p.webhook_keys,
                                                   .webhooks = *p.webhooks,
                                                   .webhook_reach = p.settings.webhooks.reach,
                                                   .orders = p.orders,
                                                   .address = p.address,
                                                   .cursor_key = derive_key(p.secret, "cursor"),
                                                   .links = p.links,
                                                   .new_id = new_id,
                                                   .nodes = p.network.nodes,
                                                   .missing_model = missing,
                                                   .clock = p.clock,
                                                   .max_upload_bytes = p.settings.max_upload_bytes,
                                                   .heartbeat = p.settings.heartbeat});
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Gateway::~Gateway() = default;

Surface Gateway::routes(net::Router& router) {
  Surface surface(router, *parts_->keys, parts_->ids, parts_->clock);
  surface.add("GET", "/healthz", Access::open, "", [](Call&) -> Task<Answer> { co_return Reply::of(200, json::object{{"status", "ok"}}); });
  surface.add("GET", "/readyz", Access::open, "", [parts = parts_.get()](Call&) -> Task<Answer> {
    if (!parts->started) co_return refuse("maintenance", "the gateway is starting or stopping");
    const auto row = co_await parts->database->read([](store::Connection& db) -> base::Result<bool> {
      KINORA_TRY(auto one, db.query("SELECT 1"));
      return one.step();
    });
    if (!row) co_return refuse("maintenance", "the database does not answer");
    co_return Reply::of(200, json::object{{"status", "ready"}});
  });
  add_key_routes(surface, *parts_->keys, parts_->services);
  add_artifact_routes(surface, parts_->services);
  add_upload_routes(surface, parts_->services);
  add_job_routes(surface, parts_->services);
  add_job_log_routes(surface, parts_->services);
  add_run_routes(surface, parts_->services);
  add_workflow_routes(surface, parts_->services);
  add_event_routes(surface, parts_->services);
  add_websocket_routes(surface, parts_->services);
  add_webhook_routes(surface, parts_->services);
  add_webhook_delivery_routes(surface, parts_->services);
  add_catalogue_routes(surface, parts_->services);
  add_attempt_routes(surface, parts_->services);
  add_tus_routes(surface, parts_->services);
  add_openapi_routes(surface, parts_->services);
  return surface;
}

net::Handler Gateway::handler() {
  if (!parts_->router) {
    parts_->router = std::make_unique<net::Router>();
    routes(*parts_->router);
  }
  return [router = parts_->router.get()](net::Request& request, net::Response& response) { return router->route(request, response); };
}

void Gateway::set_address(Address address) { parts_->address = std::move(address); }

net::Task<base::Status> Gateway::start() {
  KINORA_CO_OK(co_await parts_->keys->load());
  KINORA_CO_OK(parts_->runs->prepare());
  KINORA_CO_OK(co_await parts_->engine->recover());
  KINORA_CO_OK(co_await parts_->runs->recover());
  KINORA_CO_OK(co_await reopen_uploads(*parts_->database));
  parts_->background.spawn(parts_->webhooks->run());
  parts_->started = true;
  base::log::info("gateway", "ready", {{"url", parts_->address.url}, {"jobs", parts_->engine->counts().active_jobs}});
  co_return base::Status{};
}

net::Task<void> Gateway::drain(std::chrono::milliseconds grace) {
  parts_->started = false;
  co_await parts_->engine->drain(grace);
}

net::Task<void> Gateway::stop() {
  parts_->started = false;
  parts_->background.cancel();
  co_await parts_->background.wait();
  co_await parts_->fetcher->stop();
  co_await parts_->runs->stop();
  co_await parts_->engine->stop();
}

net::Task<base::Result<std::optional<std::string>>> Gateway::ensure_first_key() {
  KINORA_CO_OK(co_await parts_->keys->load());
  if (!parts_->keys->empty()) co_return std::optional<std::string>{};
  std::vector<std::string> scopes;
  for (const auto scope : all_scopes()) scopes.emplace_back(scope);
  KINORA_CO_TRY(CreatedKey made, co_await create_key("first", std::move(scopes)));
  co_return std::optional<std::string>{std::move(made.secret)};
}

net::Task<base::Result<CreatedKey>> Gateway::create_key(std::string name, std::vector<std::string> scopes) {
  KeyRecord record;
  record.project = parts_->settings.project;
  record.name = std::move(name);
  record.scopes = std::move(scopes);
  record.api_version = kApiVersion;
  co_return co_await parts_->keys->create(std::move(record), parts_->clock());
}

jobs::Engine::Counts Gateway::counts() const { return parts_->engine->counts(); }

}  // namespace kinora::gateway
