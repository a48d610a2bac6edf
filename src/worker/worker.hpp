#pragma once
// A machine that does tasks: it registers with orchestrators, takes orders over HTTP (docs/protocol.md 2, 4, 5), fetches inputs,
// runs them in kinora-media or kinora-runner, uploads the files, and reports by server-sent events.
//
//   Worker worker(executor, settings, client);
//   KINORA_OK(worker.open());                      // folders, programs
//   worker.routes(router);                         // POST /process/{task}
//   worker.set_url("http://127.0.0.1:4321");       // once the server listens
//   group.spawn(worker.run());                     // supervises runners, renews registrations
//   co_await stop_signal;
//   co_await worker.drain(30s);                    // unregisters, lets orders end, gives the rest back; then run() ends
//
// Threading: one executor run by one thread; disk work and hashing run on two threads of its own. `client` must outlive it.
// A crash or hang of a program costs the order it worked on, never the worker.
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/client.hpp"
#include "net/router.hpp"
#include "worker/settings.hpp"

namespace kinora::worker {

// For `kinora status`.
struct DeviceStatus {
  std::string name;   // "media", "cpu", "cuda:0"
  std::string state;  // ready, starting, down
  unsigned slots = 0;
  unsigned slots_in_use = 0;
  std::vector<std::string> models{};  // ids, the default first
  std::string detail{};               // why it is down; what its runner says about itself
};

class Worker {
 public:
  Worker(boost::asio::any_io_executor executor, WorkerSettings settings, net::Client& client);
  ~Worker();

  // Makes and empties the work folder and takes its lock, finds the programs. Errors: io, conflict (another worker uses the
  // folder), not_found (kinora-media; kinora-runner when devices are named). Blocks shortly; call before run().
  base::Status open();
  void routes(net::Router& router);
  net::Handler handler();
  // Both belong to our listener; before run().
  void set_url(std::string url);
  void set_tls_pin(std::string pin);
  // A gateway of this machine or network, http(s)://host:port: media may be exchanged with it although its address is not public.
  void add_own_gateway(std::string url);

  // Runs runners and registrations until drain() has ended or it is cancelled.
  net::Task<void> run();
  // Takes no more orders, unregisters, lets running orders end for `grace`, then ends them with the retryable error
  // worker_lost "the worker is shutting down". Returns when nothing runs any more. Once.
  net::Task<void> drain(std::chrono::milliseconds grace);

  // Suspends until every device has started or failed and what is offered then is registered where that is possible; at most
  // timings.runner_start. While run() runs.
  net::Task<void> settle();

  std::vector<DeviceStatus> devices() const;
  std::size_t running() const;       // orders
  bool registered() const;           // with every orchestrator, at least once
  const std::string& token() const;  // secret

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace kinora::worker
