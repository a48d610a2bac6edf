#include <cstdlib>

#include "kinora/roles.hpp"
#include "net/url.hpp"

namespace kinora::cli {

OrchestratorRole::OrchestratorRole(RoleContext context) : context_(context), background_(context.executor) {}

std::string OrchestratorRole::address() const { return address_; }

net::Task<base::Status> OrchestratorRole::start() {
  const auto& config = context_.config;
  KINORA_CO_TRY(const Endpoint endpoint, parse_endpoint(config.text("orchestrator.listen"), "orchestrator.listen"));
  std::string service_url = config.text("orchestrator.service_url");
  std::string host = endpoint.address;
  if (!service_url.empty()) {
    KINORA_CO_TRY(const net::Url url, net::parse_url(service_url));
    host = url.host;
  }
  KINORA_CO_TRY(const net::TlsIdentity identity, net::load_or_create_identity(context_.home.tls("orchestrator"), host));
  server_ = std::make_unique<net::Server>(context_.executor,
                                          net::ServerSettings{.address = endpoint.address, .port = endpoint.port, .tls = identity},
                                          [this](net::Request& request, net::Response& response) -> net::Task<void> {
                                            if (net::GrpcService::is_grpc(request))
                                              co_await grpc_.handle(request, response);
                                            else
                                              co_await router_.route(request, response);
                                          });
  KINORA_CO_OK(server_->listen());
  if (service_url.empty()) service_url = "https://" + net::Url{.scheme = "https", .host = host, .port = server_->port()}.authority();
  address_ = service_url + "#" + identity.pin;

  orchestrator::OrchestratorSettings settings;
  settings.service_url = service_url;
  const char* given = std::getenv("KINORA_ORCHESTRATOR_SECRET");
  if (given != nullptr && *given != '\0')
    settings.secret = given;
  else {
    KINORA_CO_TRY(settings.secret, context_.home.secret_or_new("orchestrator"));
  }
  settings.max_jobs = static_cast<std::size_t>(config.integer("orchestrator.max_jobs"));
  orchestrator_ = std::make_unique<orchestrator::Orchestrator>(context_.executor, settings, context_.client);
  orchestrator_->mount(router_, grpc_);
  background_.spawn(server_->run());
  co_return base::Status{};
}

net::Task<void> OrchestratorRole::stop(std::chrono::milliseconds grace) {
  server_->stop(grace);
  co_await background_.join();
}

}  // namespace kinora::cli
