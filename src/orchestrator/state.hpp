#pragma once
// What the orchestrator's handlers share. One thread.
#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <string>

#include "net/client.hpp"
#include "orchestrator/registry.hpp"
#include "orchestrator/settings.hpp"
#include "orchestrator/sticky.hpp"
#include "wire/auth_token.hpp"

namespace kinora::orchestrator {

template <class T>
using Task = net::Task<T>;

struct Usage {
  std::uint64_t jobs = 0;
  std::uint64_t seconds = 0;
};

struct Orchestrator::State {
  State(boost::asio::any_io_executor executor_, OrchestratorSettings settings_, net::Client& client_, Clock clock_);

  boost::asio::any_io_executor executor;
  OrchestratorSettings settings;
  net::Client& client;
  Clock clock;
  Registry registry;
  StickyAttempts sticky;
  wire::AuthTokens tokens;
  std::map<std::string, Usage, std::less<>> usage;  // by capability; bounded by the names that were registered
  std::size_t running = 0;

  // The registry without registrations whose time is over.
  Registry& workers();
};

// Text answers as go-livepeer's http.Error writes them: plain text with a line break at the end.
Task<void> refuse(net::Response& response, int status, std::string text);

}  // namespace kinora::orchestrator
