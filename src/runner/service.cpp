#include "runner/service.hpp"

#include "nn/device.hpp"
#include "runner/ai_api.hpp"
#include "runner/task_api.hpp"

namespace kinora::runner {
namespace {

RunnerSettings checked(RunnerSettings settings) {
  nn::check_device(settings.device);
  if (!settings.guidance_device.empty()) nn::check_device(settings.guidance_device);
  nn::set_threads(settings.threads);
  return settings;
}

net::ServerSettings server_settings(const RunnerSettings& settings) {
  net::ServerSettings server;
  server.address = settings.address;
  server.port = settings.port;
  // Beyond loopback it stands behind an orchestrator that speaks plain HTTP to it; the native routes stay for loopback peers.
  server.plain_from_anyone = true;
  server.limits.connections = 256;
  return server;
}

}  // namespace

Service::Service(boost::asio::any_io_executor executor, RunnerSettings settings, Identity identity)
    : settings_(checked(std::move(settings))),
      models_(settings_),
      queue_(settings_, models_),
      server_(std::move(executor), server_settings(settings_),
              [this](net::Request& request, net::Response& response) { return router_.route(request, response); }) {
  add_ai_routes(router_, settings_, identity, settings_.auth_token, models_, queue_);
  add_probe_routes(router_, std::move(identity), queue_, models_.residency());
  add_task_routes(router_, settings_, models_, queue_);
}

Service::~Service() = default;

base::Status Service::listen() { return server_.listen(); }
std::string Service::url() const { return "http://" + settings_.address + ":" + std::to_string(server_.port()); }
net::Task<void> Service::run() { co_await server_.run(); }
void Service::stop() { server_.stop(settings_.grace); }

}  // namespace kinora::runner
