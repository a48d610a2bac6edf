#include "kinora/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>

#include "kinora/background.hpp"
#include "kinora/node.hpp"
#include "kinora/settings.hpp"

namespace kinora::cli {
namespace {

namespace asio = boost::asio;

base::Result<std::string> api_key(const Home& home) {
  if (const char* given = std::getenv("KINORA_API_KEY"); given != nullptr && *given != '\0') return std::string(given);
  KINORA_TRY(const std::optional<std::string> kept, home.secret("api-key"));
  return kept.value_or("");
}

}  // namespace

// Runs the loop until the coroutine has ended; a failure of the coroutine itself is thrown.
template <class T>
static T drive(asio::io_context& io, net::Task<T> body) {
  std::optional<T> result;
  std::exception_ptr failure;
  asio::co_spawn(io, std::move(body), [&](std::exception_ptr thrown, T value) {
    failure = thrown;
    if (!thrown) result.emplace(std::move(value));
    io.stop();
  });
  io.restart();
  io.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

base::Result<std::unique_ptr<Session>> Session::open(const Context& context, Start start) {
  KINORA_TRY(const Home home, Home::open());
  std::unique_ptr<Session> session(new Session());
  ApiAddress address;
  if (!context.api.empty()) {
    KINORA_TRY(address, parse_api_address(context.api));
  } else if (const auto running = home.running_node(); running && !running->api.empty()) {
    address.url = running->api;
    address.pin = running->pin;
  } else if (start == Start::when_none_runs) {
    KINORA_TRY(
        base::Config config,
        load_settings(home, {{"gateway.listen", "127.0.0.1:0"}, {"orchestrator.listen", "127.0.0.1:0"}, {"worker.listen", "127.0.0.1:0"}}));
    session->node_ = std::make_unique<Node>(session->io_.get_executor(), home, std::move(config),
                                            Roles{.gateway = true, .orchestrator = true, .worker = true});
    KINORA_OK(drive(session->io_, session->node_->start()));
    address.url = session->node_->running().api;
    address.pin = session->node_->running().pin;
  } else {
    return base::fail(base::ErrorCode::unavailable,
                      "no node runs in " + home.root().string() + "; start one with `kinora up`, or name a gateway with --api URL");
  }
  KINORA_TRY(address.key, api_key(home));
  session->api_url_ = address.url;
  session->client_ = std::make_unique<net::Client>(session->io_.get_executor());
  session->background_ = std::make_unique<Background>(session->io_.get_executor());
  session->api_ = std::make_unique<ApiClient>(*session->client_, std::move(address), context.problem);
  return session;
}

Session::~Session() {
  if (client_) client_->close();
  // What was spawned beside, then a node of our own.
  if (background_) {
    background_->cancel();
    drive(io_, [](Background& background) -> net::Task<bool> {
      co_await background.join();
      co_return true;
    }(*background_));
  }
  if (node_) {
    drive(io_, [](Node& node) -> net::Task<bool> {
      co_await node.stop();
      co_return true;
    }(*node_));
    node_.reset();
  }
  api_.reset();
  client_.reset();
}

void Session::settle() {
  if (!node_) return;
  drive(io_, [](Node& node) -> net::Task<bool> {
    co_await node.settle();
    co_return true;
  }(*node_));
}

void Session::spawn(std::function<net::Task<void>()> body) {
  background_->spawn([](std::function<net::Task<void>()> run) -> net::Task<void> { co_await run(); }(std::move(body)));
}

int Session::run(std::function<net::Task<int>()> body, std::function<void()> on_interrupt) {
  asio::signal_set signals(io_, SIGINT, SIGTERM);
  bool interrupted = false;
  std::function<void()> listen = [&] {
    signals.async_wait([&](boost::system::error_code error, int) {
      if (error) return;
      if (interrupted || !on_interrupt) std::_Exit(kExitInterrupted);
      interrupted = true;
      on_interrupt();
      listen();
    });
  };
  listen();
  const int status = drive(io_, body());
  return interrupted ? kExitInterrupted : status;
}

int with_api(const Context& context, const std::function<net::Task<base::Status>(ApiClient&)>& call) {
  auto session = Session::open(context);
  if (!session) return report(context, session.error());
  return (*session)->run([&]() -> net::Task<int> {
    const auto done = co_await call((*session)->api());
    co_return done ? kExitOk : report(context, done.error());
  });
}

}  // namespace kinora::cli
