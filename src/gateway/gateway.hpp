#pragma once
// The gateway: Kinora's public API over HTTP (docs/api.md), and the engine behind it.
//
//   KINORA_TRY(auto gateway, Gateway::open(executor, {.data_dir = home / "gateway"}, media_tool, Network::over(market)));
//   KINORA_CO_TRY(auto secret, co_await gateway->ensure_first_key());      // once: write it to KINORA_HOME
//   net::Server server(executor, settings, gateway->handler());            // listen, then
//   gateway->set_address({.url = "http://127.0.0.1:1234"});
//   KINORA_CO_OK(co_await gateway->start());                                // jobs of the last run go on from here
//   ... co_await gateway->stop();                                           // after the server has ended
//
// Files below data_dir: gateway.db (SQLite), blobs/, gateway.secret (32 random bytes in hex, mode 0600: all signatures come from it).
// Threading: one executor run by one thread; blocking work goes to the gateway's own pool. Errors of open(): io, conflict
// (a database of a newer version), invalid (a damaged secret).
#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/address.hpp"
#include "gateway/input_fetcher.hpp"
#include "gateway/key_store.hpp"
#include "gateway/order_links.hpp"
#include "gateway/surface.hpp"
#include "gateway/webhook_sender.hpp"
#include "jobs/engine.hpp"
#include "market/market.hpp"
#include "net/router.hpp"
#include "proc/media_tool.hpp"

namespace kinora::gateway {

struct GatewaySettings {
  std::filesystem::path data_dir;
  std::string project = "proj_1";  // the one project of a node without accounts
  jobs::EngineSettings engine;     // engine.plan.chunk_s is the chunk length
  std::uint64_t max_upload_bytes = jobs::kMaxUploadBytes;
  unsigned media_processes = 2;                 // kinora-media at work at once, for probing and verifying
  bool verify = true;                           // false: results are only hashed
  unsigned io_threads = 2;                      // for blobs
  std::chrono::milliseconds heartbeat{10'000};  // of event streams
  WebhookSenderSettings webhooks;               // reach: public addresses over https, or (on-prem, tests) anywhere
  FetchSettings fetch;                          // of media by URL; reach as of webhooks
};

// What carries orders to workers.
struct Network {
  std::function<std::unique_ptr<jobs::Executor>(const OrderLinks& links)> make_executor;
  // What is offered now, for /v1/models and /v1/capabilities.
  std::function<net::Task<std::vector<market::NodeStatus>>()> nodes;
  // The same, with what is known of this task and model ("": any) as new as the question.
  std::function<net::Task<std::vector<market::NodeStatus>>(std::string task, std::string model)> nodes_for;
  // Sets the one listener for "more slots may be free".
  std::function<void(std::function<void()>)> on_change;
  static Network over(market::Market& market);  // which must outlive the gateway
};

class Gateway {
 public:
  static base::Result<std::unique_ptr<Gateway>> open(boost::asio::any_io_executor executor, GatewaySettings settings, proc::MediaTool media,
                                                     Network network, std::function<base::UnixMillis()> clock = base::wall_clock);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Adds every route to a router that the gateway outlives; or use handler(), which has its own.
  Surface routes(net::Router& router);
  net::Handler handler();

  void set_address(Address address);

  net::Task<base::Status> start();  // reloads jobs and schedules; /readyz says 200 from here on
  // /readyz says 503, no attempt is begun any more, running ones may end within the grace; the API goes on answering. Then stop().
  net::Task<void> drain(std::chrono::milliseconds grace);
  net::Task<void> stop();  // rows stay as they are; the next start goes on

  // When there is no key at all: makes one with every scope and returns its secret, the only time it can be had.
  net::Task<base::Result<std::optional<std::string>>> ensure_first_key();
  net::Task<base::Result<CreatedKey>> create_key(std::string name, std::vector<std::string> scopes);

  jobs::Engine::Counts counts() const;

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace kinora::gateway
