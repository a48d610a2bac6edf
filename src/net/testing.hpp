#pragma once
// For tests: a loop that runs one coroutine to its end, and a server on a free loopback port.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "net/client.hpp"
#include "net/server.hpp"

namespace kinora::net::testing {

// Runs the coroutine and everything else on the loop until the coroutine has ended; throws what it throws. A test that does not
// end fails after a minute instead of hanging.
template <class T>
T run(boost::asio::io_context& loop, Task<T> task) {
  std::exception_ptr failure;
  bool ended = false;
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error) {
      failure = error;
      ended = true;
      loop.stop();
    });
  } else {
    std::optional<T> out;
    boost::asio::co_spawn(
        loop, [](Task<T> inner, std::optional<T>& to) -> Task<void> { to.emplace(co_await std::move(inner)); }(std::move(task), out),
        [&](std::exception_ptr error) {
          failure = error;
          ended = true;
          loop.stop();
        });
    loop.restart();
    loop.run_for(std::chrono::minutes(1));
    if (failure) std::rethrow_exception(failure);
    if (!ended) throw std::runtime_error("the coroutine did not end");
    return std::move(*out);
  }
  loop.restart();
  loop.run_for(std::chrono::minutes(1));
  if (failure) std::rethrow_exception(failure);
  if (!ended) throw std::runtime_error("the coroutine did not end");
}

inline const TlsIdentity& identity() {
  static const TlsIdentity made = generate_identity("127.0.0.1").value();
  return made;
}

// A server over TLS (or plain) whose loop is `loop`; stops in its destructor.
class TestServer {
 public:
  TestServer(boost::asio::io_context& loop, Handler handler, ServerLimits limits = {}, bool tls = true) : loop_(loop) {
    ServerSettings settings;
    if (tls) settings.tls = identity();
    settings.plain_on_loopback = true;
    settings.limits = limits;
    server.emplace(loop.get_executor(), settings, std::move(handler));
    const auto listening = server->listen();
    if (!listening) throw std::runtime_error(listening.error().message);
    boost::asio::co_spawn(loop, server->run(), [this](std::exception_ptr) { ended_ = true; });
  }
  ~TestServer() { stop(std::chrono::milliseconds(0)); }
  void stop(std::chrono::milliseconds grace) {
    server->stop(grace);
    loop_.restart();
    while (!ended_ && loop_.run_one_for(std::chrono::seconds(30)) > 0) {
    }
    EXPECT_TRUE(ended_) << "the server did not stop";
  }
  std::string url(std::string_view path, bool tls = true) const {
    return (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server->port()) + std::string(path);
  }
  std::optional<Server> server;

 private:
  boost::asio::io_context& loop_;
  bool ended_ = false;
};

inline TlsTrust trust() { return TlsTrust::pinned(identity().pin); }

}  // namespace kinora::net::testing
