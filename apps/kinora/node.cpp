#include "kinora/node.hpp"

#include <boost/asio/steady_timer.hpp>

#include "base/log.hpp"
#include "kinora/roles.hpp"

namespace kinora::cli {

Node::Node(boost::asio::any_io_executor executor, Home home, base::Config config, Roles roles)
    : executor_(executor), home_(std::move(home)), config_(std::move(config)), wanted_(roles), client_(executor) {}

Node::~Node() = default;

net::Task<base::Status> Node::start_roles() {
  const RoleContext context{executor_, home_, config_, client_};
  std::string own_orchestrator;
  if (wanted_.orchestrator) {
    auto role = std::make_unique<OrchestratorRole>(context);
    OrchestratorRole& orchestrator = *role;
    roles_.push_back(std::move(role));
    KINORA_CO_OK(co_await orchestrator.start());
    own_orchestrator = orchestrator.address();
    started_.push_back("orchestrator  " + own_orchestrator);
  }
  WorkerRole* own_worker = nullptr;
  if (wanted_.worker) {
    auto role = std::make_unique<WorkerRole>(context, own_orchestrator);
    WorkerRole& worker = *role;
    own_worker = role.get();
    roles_.push_back(std::move(role));
    KINORA_CO_OK(co_await worker.start());
    devices_ = [&worker] { return worker.devices(); };
    settle_ = [&worker] { return worker.settle(); };
    running_.devices = devices_();
    std::string names;
    for (const auto& device : running_.devices) names += " " + std::string(device.at("id").as_string());
    started_.push_back("worker        devices:" + names);
  }
  if (wanted_.gateway) {
    auto role = std::make_unique<GatewayRole>(context, own_orchestrator, own_worker);
    GatewayRole& gateway = *role;
    roles_.push_back(std::move(role));
    KINORA_CO_OK(co_await gateway.start());
    running_.api = gateway.address().url;
    running_.pin = gateway.address().tls_pin;
    started_.push_back("gateway       API at " + running_.api);
    if (gateway.made_key()) started_.push_back("              API key in " + (home_.root() / "secrets" / "api-key").string());
  }
  for (const auto& role : roles_) running_.roles.emplace_back(role->name());
  co_return home_.announce(running_);
}

net::Task<base::Status> Node::start() {
  const base::Status started = co_await start_roles();
  if (!started) {
    // The role that failed is the last; it owns nothing that must be stopped.
    roles_.pop_back();
    co_await stop();
  }
  co_return started;
}

net::Task<void> Node::settle() {
  if (settle_) co_await settle_();
}

void Node::refresh() {
  if (!devices_) return;
  auto now = devices_();
  if (now == running_.devices) return;
  running_.devices = std::move(now);
  if (const auto told = home_.announce(running_); !told)
    base::log::warn("node", "devices are not announced", {{"error", told.error().message}});
}

net::Task<void> Node::stop() {
  home_.withdraw();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(config_.integer("node.grace_s"));
  while (!roles_.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    co_await roles_.back()->stop(std::max(left, std::chrono::milliseconds(0)));
    roles_.pop_back();
  }
  client_.close();
}

}  // namespace kinora::cli
