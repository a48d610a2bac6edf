#pragma once
// The three roles of a node as Role objects: each assembles its room's class with a listening server.
#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "gateway/gateway.hpp"
#include "kinora/background.hpp"
#include "kinora/node.hpp"
#include "kinora/settings.hpp"
#include "market/market.hpp"
#include "net/server.hpp"
#include "orchestrator/orchestrator.hpp"
#include "worker/worker.hpp"

namespace kinora::cli {

// What every role needs.
struct RoleContext {
  boost::asio::any_io_executor executor;
  const Home& home;
  const base::Config& config;
  net::Client& client;
};

class OrchestratorRole final : public Role {
 public:
  explicit OrchestratorRole(RoleContext context);
  std::string_view name() const override { return "orchestrator"; }
  net::Task<base::Status> start() override;
  net::Task<void> stop(std::chrono::milliseconds grace) override;
  std::string address() const;  // https://host:port#sha256/...

 private:
  RoleContext context_;
  Background background_;
  net::Router router_;
  net::GrpcService grpc_;
  std::unique_ptr<orchestrator::Orchestrator> orchestrator_;
  std::unique_ptr<net::Server> server_;
  std::string address_;
};

class WorkerRole final : public Role {
 public:
  // also: an orchestrator of this process to register with, or empty.
  WorkerRole(RoleContext context, std::string also);
  std::string_view name() const override { return "worker"; }
  net::Task<base::Status> start() override;
  net::Task<void> stop(std::chrono::milliseconds grace) override;
  base::json::array devices() const;
  net::Task<void> settle() { return worker_->settle(); }  // worker::Worker::settle()
  void add_own_gateway(const std::string& url) { worker_->add_own_gateway(url); }

 private:
  RoleContext context_;
  std::string also_;
  Background background_;
  net::Router router_;
  std::unique_ptr<worker::Worker> worker_;
  std::unique_ptr<net::Server> server_;
};

class GatewayRole final : public Role {
 public:
  // own_worker: of the same node, which may fetch from this gateway wherever it listens; nullptr: none.
  GatewayRole(RoleContext context, std::string also, WorkerRole* own_worker);
  std::string_view name() const override { return "gateway"; }
  net::Task<base::Status> start() override;
  net::Task<void> stop(std::chrono::milliseconds grace) override;
  const gateway::Address& address() const { return address_; }
  bool made_key() const { return made_key_; }

 private:
  RoleContext context_;
  std::string also_;
  WorkerRole* own_worker_;
  Background background_;
  std::unique_ptr<market::Market> market_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<net::Server> server_;
  gateway::Address address_;
  bool made_key_ = false;
};

}  // namespace kinora::cli
