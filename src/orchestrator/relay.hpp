#pragma once
// Passes a worker's answer on to the gateway.
#include <chrono>

#include "net/client.hpp"
#include "net/http.hpp"
#include "orchestrator/settings.hpp"

namespace kinora::orchestrator {

struct RelayRules {
  std::chrono::steady_clock::time_point deadline;      // of the whole job
  std::optional<std::chrono::milliseconds> heartbeat;  // send ": hb" after so long without anything else
  bool events = false;                                 // text/event-stream: insert the balance line
};

struct Relayed {
  bool complete = false;      // the worker's answer came to its end
  bool worker_broke = false;  // it is not complete, and the worker is the cause
  std::string outcome_line;   // the data of its result or error event, if any
  std::string reason;         // why it is not complete
};

// Starts the response with the answer's status and content type, streams, and ends it. An answer that breaks off ends an
// event stream (the gateway misses the result) and aborts any other body.
net::Task<Relayed> relay(net::ClientResponse& answer, net::Response& response, const RelayRules& rules);

}  // namespace kinora::orchestrator
