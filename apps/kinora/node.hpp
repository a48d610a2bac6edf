#pragma once
// A node: the roles of one process, started in order and stopped in the reverse order.
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "kinora/home.hpp"
#include "net/client.hpp"

namespace kinora::cli {

struct Roles {
  bool gateway = false;
  bool orchestrator = false;
  bool worker = false;
};

// One role: what it listens on, and how it starts and ends. All on the node's executor.
class Role {
 public:
  virtual ~Role() = default;
  virtual std::string_view name() const = 0;
  virtual net::Task<base::Status> start() = 0;
  // Ends what runs, for at most `grace`, then hands it back.
  virtual net::Task<void> stop(std::chrono::milliseconds grace) = 0;
};

class Node {
 public:
  Node(boost::asio::any_io_executor executor, Home home, base::Config config, Roles roles);
  ~Node();

  // Starts every role and announces the node in its home. On an error what was started is stopped again.
  net::Task<base::Status> start();
  net::Task<void> stop();
  // Suspends until its worker's devices have started or failed and their models are registered.
  net::Task<void> settle();
  // Announces again what has changed of the devices.
  void refresh();

  const RunningNode& running() const { return running_; }
  // Lines for a person: what was started and where.
  const std::vector<std::string>& started() const { return started_; }

 private:
  net::Task<base::Status> start_roles();
  boost::asio::any_io_executor executor_;
  Home home_;
  base::Config config_;
  Roles wanted_;
  net::Client client_;
  std::vector<std::unique_ptr<Role>> roles_;
  std::function<base::json::array()> devices_;  // of the worker, if there is one
  std::function<net::Task<void>()> settle_;     // the same
  RunningNode running_;
  std::vector<std::string> started_;
};

}  // namespace kinora::cli
