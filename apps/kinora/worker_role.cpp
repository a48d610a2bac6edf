#include <sys/sysinfo.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kinora/device_names.hpp"
#include "kinora/model_folders.hpp"
#include "kinora/roles.hpp"
#include "net/url.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "worker";
}

base::Result<std::vector<worker::DeviceSettings>> device_settings(const base::Config& config) {
  std::vector<worker::DeviceSettings> devices;
  KINORA_TRY(const auto names, device_names(config.list("worker.devices")));
  for (const std::string& name : names) {
    worker::DeviceSettings device{.name = name};
    for (int cpu = 0; cpu < std::min<std::int64_t>(config.integer("worker.threads"), ::get_nprocs()); ++cpu) device.cpus.push_back(cpu);
    devices.push_back(device);
  }
  return devices;
}

base::Result<std::string> orchestrator_secret(const RoleContext& context) {
  if (const std::string& file = context.config.text("worker.secret_file"); !file.empty()) {
    std::ifstream in(file);
    std::string text;
    if (!std::getline(in, text) || text.empty())
      return base::fail(base::ErrorCode::invalid, "worker.secret_file: cannot read a secret from " + file);
    return text;
  }
  if (const char* given = std::getenv("KINORA_ORCHESTRATOR_SECRET"); given != nullptr && *given != '\0') return std::string(given);
  return context.home.secret_or_new("orchestrator");
}

}  // namespace

WorkerRole::WorkerRole(RoleContext context, std::string also) : context_(context), also_(std::move(also)), background_(context.executor) {}

net::Task<base::Status> WorkerRole::start() {
  const auto& config = context_.config;
  worker::WorkerSettings settings;
  settings.name = config.text("worker.name").empty() ? host_name() : config.text("worker.name");
  if (settings.name.find('/') != std::string::npos) co_return base::fail(base::ErrorCode::invalid, "worker.name must not hold '/'");
  settings.work_dir = context_.home.root() / "worker" / settings.name;
  settings.models = model_folders(config);
  std::vector<std::string> orchestrators = config.list("worker.orchestrators");
  if (!also_.empty()) orchestrators.push_back(also_);
  if (orchestrators.empty())
    co_return base::fail(base::ErrorCode::invalid,
                         "a worker needs an orchestrator: --orchestrator https://host:port#sha256/... (printed by `kinora orchestrator`)");
  for (const std::string& text : orchestrators) {
    KINORA_CO_TRY(const worker::OrchestratorAddress address, worker::parse_orchestrator(text));
    settings.orchestrators.push_back(address);
  }
  KINORA_CO_TRY(settings.orchestrator_secret, orchestrator_secret(context_));
  KINORA_CO_TRY(settings.devices, device_settings(config));
  if (config.flag("worker.private_targets")) settings.media_reach = net::Reach::anywhere;
  settings.media_slots = static_cast<unsigned>(config.integer("worker.media_slots"));
  settings.price_per_unit = config.integer("worker.price_wei");
  settings.disk_reserve_bytes = static_cast<std::uint64_t>(config.integer("worker.disk_reserve_mb")) << 20;
  settings.cache_bytes = static_cast<std::uint64_t>(config.integer("worker.cache_gib")) << 30;

  KINORA_CO_TRY(const Endpoint endpoint, parse_endpoint(config.text("worker.listen"), "worker.listen"));
  net::ServerSettings listening{.address = endpoint.address, .port = endpoint.port, .plain_on_loopback = endpoint.loopback};
  if (!endpoint.loopback) {
    KINORA_CO_TRY(const net::TlsIdentity identity, net::load_or_create_identity(context_.home.tls("worker"), endpoint.address));
    listening.tls = identity;
  }
  const std::string pin = listening.tls ? listening.tls->pin : "";
  worker_ = std::make_unique<worker::Worker>(context_.executor, settings, context_.client);
  KINORA_CO_OK(worker_->open());
  worker_->routes(router_);
  server_ = std::make_unique<net::Server>(
      context_.executor, std::move(listening),
      [this](net::Request& request, net::Response& response) -> net::Task<void> { co_await router_.route(request, response); });
  KINORA_CO_OK(server_->listen());
  const std::string& given = config.text("worker.url");
  const std::string scheme = endpoint.loopback ? "http" : "https";
  worker_->set_url(
      given.empty() ? scheme + "://" + net::Url{.scheme = scheme, .host = endpoint.address, .port = server_->port()}.authority() : given);
  if (!pin.empty()) worker_->set_tls_pin(pin);
  background_.spawn(server_->run());
  background_.spawn(worker_->run());
  co_return base::Status{};
}

net::Task<void> WorkerRole::stop(std::chrono::milliseconds grace) {
  co_await worker_->drain(grace);
  server_->stop(std::chrono::seconds(1));
  co_await background_.join();
}

base::json::array WorkerRole::devices() const {
  base::json::array list;
  for (const worker::DeviceStatus& device : worker_->devices())
    list.push_back(base::json::object{{"id", device.name},
                                      {"state", device.state},
                                      {"slots", device.slots},
                                      {"models", base::json::value_from(device.models)},
                                      {"detail", device.detail}});
  return list;
}

}  // namespace kinora::cli
