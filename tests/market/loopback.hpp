#pragma once
// A small network on one io_context: workers, orchestrators and a market, talking over loopback TLS with real keys.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "market/market.hpp"
#include "net/client.hpp"
#include "net/grpc.hpp"
#include "net/router.hpp"
#include "net/server.hpp"
#include "net/sse.hpp"
#include "orchestrator/orchestrator.hpp"
#include "wire/byoc.hpp"

namespace kinora::loopback {

using namespace std::chrono_literals;
template <class T>
using Task = net::Task<T>;

inline constexpr auto kSecret = "orchestrator secret";
inline constexpr auto kToken = "worker token";
inline constexpr auto kTestLimit = 20s;  // a test that hangs fails

// Runs coroutines to their end on one io_context.
class Loop {
 public:
  boost::asio::any_io_executor executor() { return context_.get_executor(); }

  template <class T>
  T run(Task<T> task) {
    std::optional<T> value;
    std::exception_ptr error;
    bool ended = false;
    boost::asio::co_spawn(context_, std::move(task), [&](std::exception_ptr thrown, T result) {
      error = thrown;
      if (!thrown) value = std::move(result);
      ended = true;
    });
    until([&] { return ended; });
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }

  // Lets the context work until the condition holds.
  void until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + kTestLimit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("the loop waited too long");
      context_.restart();
      context_.run_one_for(100ms);
    }
  }

 private:
  boost::asio::io_context context_;
};

inline Task<void> pause(std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

inline net::TlsIdentity new_identity() {
  auto identity = net::generate_identity("127.0.0.1");
  if (!identity) throw std::runtime_error(identity.error().message);
  return *identity;
}

// A server that runs from its construction to its destruction.
class Listening {
 public:
  Listening(Loop& loop, net::Handler handler, net::TlsIdentity identity = new_identity(), std::uint16_t port = 0)
      : loop_(loop), identity_(std::move(identity)) {
    server_ = std::make_unique<net::Server>(
        loop.executor(), net::ServerSettings{.port = port, .tls = identity_, .plain_on_loopback = false, .limits = {}}, std::move(handler));
    if (const auto listening = server_->listen(); !listening) throw std::runtime_error(listening.error().message);
    port_ = server_->port();
    boost::asio::co_spawn(loop.executor(), server_->run(), [this](std::exception_ptr) { ended_ = true; });
  }
  ~Listening() { stop(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  // Connections are cut as by kill -9.
  void stop() {
    if (ended_) return;
    server_->stop(0ms);
    loop_.until([this] { return ended_; });
    server_.reset();
  }
  std::uint16_t port() const { return port_; }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  const net::TlsIdentity& identity() const { return identity_; }

 private:
  Loop& loop_;
  net::TlsIdentity identity_;
  std::unique_ptr<net::Server> server_;
  std::uint16_t port_ = 0;
  bool ended_ = false;
};

inline std::string event_text(const tasks::TaskEvent& event) { return "data: " + base::json::serialize(tasks::to_json(event)) + "\n\n"; }

// A worker of the task "ping". What it does with an order is the test's.
class TestWorker {
 public:
  using Work = std::function<Task<void>(TestWorker&, net::Request&, net::Response&)>;
  TestWorker(Loop& loop, std::string name_, Work work)
      : name(std::move(name_)), listening_(loop, [this, work](net::Request& request, net::Response& response) -> Task<void> {
          ++calls;
          last_path = request.path;
          authorization = std::string(request.headers.get("authorization").value_or(""));
          ++running;
          struct Leave {
            TestWorker& worker;
            ~Leave() {
              --worker.running;
              ++worker.left;
            }
          } leave{*this};
          co_await work(*this, request, response);
        }) {}

  wire::Registration registration(std::int64_t capacity = 1) const {
    wire::Registration registered;
    registered.name = "ping";
    registered.url = listening_.url() + "/process";
    registered.capacity = capacity;
    registered.token = kToken;
    registered.tls_pin = listening_.identity().pin;
    registered.ttl_s = 15;
    return registered;
  }
  void kill() { listening_.stop(); }

  std::string name;
  int calls = 0;
  int running = 0;
  int left = 0;  // handlers that ended or were cancelled
  std::string last_path;
  std::string authorization;

 private:
  Listening listening_;
};

// accepted, (work for `time`), result, [DONE]
inline TestWorker::Work answering_after(std::chrono::milliseconds time) {
  return [time](TestWorker& worker, net::Request&, net::Response& response) -> Task<void> {
    co_await response.start(200, {{"content-type", "text/event-stream"}});
    co_await response.write(event_text(tasks::Accepted{.worker = worker.name, .device = "test", .queue_position = 0}));
    co_await response.write(event_text(tasks::Progress{.fraction = 0.5, .stage = "run", .unit = "frame", .fps = {}, .eta_s = {}}));
    if (time.count() > 0) co_await pause(time);
    tasks::TaskResult result;
    result.outputs = {{"ping", base::json::object{{"worker", worker.name}}}};
    result.seconds = 0.001;
    result.units = 1;
    co_await response.write(event_text(result) + "data: [DONE]\n\n");
    co_await response.finish();
  };
}

// Answers 503 as a worker without a free slot does.
inline TestWorker::Work busy() {
  return [](TestWorker&, net::Request&, net::Response& response) -> Task<void> { co_await response.send(503, {}, "busy"); };
}

class TestOrchestrator {
 public:
  explicit TestOrchestrator(Loop& loop, net::TlsIdentity identity = new_identity(), std::uint16_t port = 0,
                            orchestrator::OrchestratorSettings settings = {}, orchestrator::Clock clock = base::wall_clock)
      : loop_(loop),
        client_(loop.executor()),
        listening_(
            loop, [this](net::Request& request, net::Response& response) { return serve(request, response); }, std::move(identity), port) {
    settings.secret = kSecret;
    settings.service_url = listening_.url();
    orchestrator_ = std::make_unique<orchestrator::Orchestrator>(loop.executor(), std::move(settings), client_, std::move(clock));
    orchestrator_->mount(router_, grpc_);
  }
  ~TestOrchestrator() {
    client_.close();
    listening_.stop();
  }
  // The worker's own way in: POST /capability/register.
  int enlist(const wire::Registration& registration, std::string secret = kSecret) {
    return loop_.run(post("/capability/register", wire::format_registration(registration), {{"authorization", std::move(secret)}})).first;
  }
  Task<std::pair<int, std::string>> post(std::string path, std::string body, net::Headers headers) {
    net::ClientRequest request{.method = "POST", .url = url() + path, .headers = std::move(headers), .body = std::move(body)};
    request.trust = net::TlsTrust::pinned(pin());
    co_return co_await exchange(std::move(request));
  }
  Task<std::pair<int, std::string>> get(std::string path, net::Headers headers) {
    net::ClientRequest request{.method = "GET", .url = url() + path, .headers = std::move(headers)};
    request.trust = net::TlsTrust::pinned(pin());
    co_return co_await exchange(std::move(request));
  }
  void kill() {
    client_.close();
    listening_.stop();
  }
  std::string url() const { return listening_.url(); }
  std::uint16_t port() const { return listening_.port(); }
  const std::string& pin() const { return listening_.identity().pin; }
  const net::TlsIdentity& identity() const { return listening_.identity(); }
  orchestrator::Orchestrator& role() { return *orchestrator_; }
  net::Client& client() { return client_; }
  int discoveries = 0;
  int jobs = 0;

 private:
  Task<void> serve(net::Request& request, net::Response& response) {
    if (net::GrpcService::is_grpc(request)) {
      ++discoveries;
      co_await grpc_.handle(request, response);
    } else {
      if (request.path.starts_with("/process/request/")) ++jobs;
      co_await router_.route(request, response);
    }
  }
  Task<std::pair<int, std::string>> exchange(net::ClientRequest request) {
    auto answer = co_await client_.send(std::move(request));
    if (!answer) throw std::runtime_error(answer.error().message);
    auto body = co_await answer->read_all(1 << 20);
    if (!body) throw std::runtime_error(body.error().message);
    co_return std::pair{answer->status(), *body};
  }

  Loop& loop_;
  net::Client client_;
  net::Router router_;
  net::GrpcService grpc_;
  std::unique_ptr<orchestrator::Orchestrator> orchestrator_;
  Listening listening_;
};

inline tasks::TaskOrder ping_order(std::string attempt = "att_01KE0000000000000000000000") {
  tasks::TaskOrder order;
  order.attempt = std::move(attempt);
  order.task = "ping";
  return order;
}

}  // namespace kinora::loopback
