#pragma once
// The runner: HTTP on the executor's thread, inference on its own. Construct, listen(), await run(); stop() ends run().
//
// Errors of construction (no such device) are nn::LoadError.
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "net/server.hpp"
#include "runner/probe_api.hpp"
#include "runner/settings.hpp"

namespace kinora::runner {

class Service {
 public:
  Service(boost::asio::any_io_executor executor, RunnerSettings settings, Identity identity);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  base::Status listen();
  std::string url() const;  // "http://127.0.0.1:PORT"
  net::Task<void> run();
  // Refuses new requests; the running task is stopped after the settings' grace.
  void stop();

 private:
  const RunnerSettings settings_;
  ModelStore models_;
  InferenceQueue queue_;
  net::Router router_;
  net::Server server_;
};

}  // namespace kinora::runner
