#pragma once
// The orchestrator: takes external-capability jobs from gateways (go-livepeer's BYOC protocol, capability 37) and hands
// them to registered workers. Off-chain: signatures are accepted as they are, nothing is paid.
//
//   Orchestrator orchestrator(executor, settings, client);
//   orchestrator.mount(router, grpc);   // then serve both on one net::Server
//
// It opens no port. Ownership: executor, client, router and service outlive it, and no handler runs when it is destroyed.
// Threading: one executor (one thread); nothing is locked.
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "net/client.hpp"
#include "net/grpc.hpp"
#include "net/router.hpp"
#include "orchestrator/settings.hpp"
#include "wire/price.hpp"

namespace kinora::orchestrator {

struct WorkerStatus {
  std::string url;
  unsigned capacity = 0;
  unsigned in_use = 0;
  bool warm = false;
  std::optional<double> seconds_per_unit;
  std::string weights = {};   // digest of its model's; empty: not told
  std::string unusable = {};  // why its model cannot be used; empty: it can
};

struct CapabilityStatus {
  std::string name;
  wire::Price price;
  std::vector<WorkerStatus> workers;
  std::uint64_t jobs = 0;             // ended here since start
  std::uint64_t metered_seconds = 0;  // each job's seconds rounded up, as they would be charged
};

class Orchestrator {
 public:
  Orchestrator(boost::asio::any_io_executor executor, OrchestratorSettings settings, net::Client& client, Clock clock = base::wall_clock);
  ~Orchestrator();
  Orchestrator(const Orchestrator&) = delete;
  Orchestrator& operator=(const Orchestrator&) = delete;

  // GetOrchestrator, Ping, EndTranscodingSession; /capability/*, /process/*, /healthz.
  void mount(net::Router& router, net::GrpcService& grpc);
  std::vector<CapabilityStatus> status() const;

  struct State;  // orchestrator/state.hpp

 private:
  std::unique_ptr<State> state_;
};

}  // namespace kinora::orchestrator
