#include "kinora/roles.hpp"
#include "net/url.hpp"
#include "proc/programs.hpp"

namespace kinora::cli {

namespace {
constexpr std::chrono::seconds kLastAnswers{1};
}  // namespace

GatewayRole::GatewayRole(RoleContext context, std::string also, WorkerRole* own_worker)
    : context_(context), also_(std::move(also)), own_worker_(own_worker), background_(context.executor) {}

net::Task<base::Status> GatewayRole::start() {
  const auto& config = context_.config;
  KINORA_CO_OK(context_.home.lock("gateway"));
  market::MarketSettings offers;
  if (!also_.empty()) offers.orchestrators.push_back(also_);
  for (const std::string& orchestrator : config.list("gateway.orchestrators")) offers.orchestrators.push_back(orchestrator);
  if (offers.orchestrators.empty())
    co_return base::fail(base::ErrorCode::invalid,
                         "a gateway needs an orchestrator: --orchestrator https://host:port#sha256/... (printed by `kinora orchestrator`)");
  if (const std::int64_t most = config.integer("gateway.max_price_wei"); most > 0) offers.max_price = wire::Price{most, 1};
  market_ = std::make_unique<market::Market>(context_.executor, context_.client, offers);

  KINORA_CO_TRY(const auto program, proc::find_program("kinora-media"));
  gateway::GatewaySettings settings;
  settings.data_dir = context_.home.data();
  settings.engine.disk_reserve_bytes = config.integer("gateway.disk_reserve_mb") << 20;
  settings.engine.plan.chunk_s = static_cast<int>(config.integer("gateway.chunk_s"));
  settings.verify = config.flag("gateway.verify");
  if (config.flag("gateway.private_targets")) settings.webhooks.reach = settings.fetch.reach = net::Reach::anywhere;
  KINORA_CO_TRY(gateway_, gateway::Gateway::open(context_.executor, settings, proc::MediaTool(context_.executor, {.program = program}),
                                                 gateway::Network::over(*market_)));
  KINORA_CO_TRY(const std::optional<std::string> first_key, co_await gateway_->ensure_first_key());
  if (first_key) {
    KINORA_CO_OK(context_.home.keep_secret("api-key", *first_key));
    made_key_ = true;
  }

  KINORA_CO_TRY(const Endpoint endpoint, parse_endpoint(config.text("gateway.listen"), "gateway.listen"));
  KINORA_CO_TRY(const net::TlsIdentity identity, net::load_or_create_identity(context_.home.tls("gateway"), endpoint.address));
  server_ = std::make_unique<net::Server>(
      context_.executor,
      net::ServerSettings{.address = endpoint.address, .port = endpoint.port, .tls = identity, .plain_on_loopback = endpoint.loopback},
      gateway_->handler());
  KINORA_CO_OK(server_->listen());
  const std::string& given = config.text("gateway.public_url");
  const std::string scheme = endpoint.loopback ? "http" : "https";
  address_.url =
      given.empty() ? scheme + "://" + net::Url{.scheme = scheme, .host = endpoint.address, .port = server_->port()}.authority() : given;
  if (address_.url.starts_with("https://")) address_.tls_pin = identity.pin;
  gateway_->set_address(address_);
  background_.spawn(server_->run());
  // Before it starts: jobs of the last run are offered again at once.
  if (own_worker_ != nullptr) own_worker_->add_own_gateway(address_.url);
  co_return co_await gateway_->start();
}

net::Task<void> GatewayRole::stop(std::chrono::milliseconds grace) {
  // Running attempts get the grace, with the server there to take their results; what is left goes on at the next start, from its rows.
  co_await gateway_->drain(grace);
  server_->stop(kLastAnswers);
  co_await gateway_->stop();
  co_await background_.join();
}

}  // namespace kinora::cli
