#include "net/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "base/log.hpp"
#include "net/server_connection.hpp"

namespace kinora::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::ErrorCode;
using base::fail;

class Server::Listener : public std::enable_shared_from_this<Server::Listener> {
 public:
  Listener(asio::any_io_executor executor, ServerSettings settings, Handler handler)
      : setup_(std::make_shared<ServerSetup>(ServerSetup{executor, std::move(settings), nullptr, std::move(handler)})),
        acceptor_(executor),
        connections_(executor),
        grace_(executor) {
    if (setup_->settings.tls) setup_->tls = make_server_context(*setup_->settings.tls);
  }

  base::Status listen() {
    boost::system::error_code failed;
    const auto address = asio::ip::make_address(setup_->settings.address, failed);
    if (failed) return fail(ErrorCode::invalid, "not an IP address to listen on: " + setup_->settings.address);
    const tcp::endpoint endpoint(address, setup_->settings.port);
    acceptor_.open(endpoint.protocol(), failed);
    if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor_.bind(endpoint, failed);
    if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    if (!failed) port_ = acceptor_.local_endpoint(failed).port();
    if (failed) {
      return fail(ErrorCode::io,
                  "cannot listen on " + setup_->settings.address + ":" + std::to_string(setup_->settings.port) + ": " + failed.message());
    }
    return {};
  }

  std::uint16_t port() const { return port_; }

  Task<void> run() {
    const auto self = shared_from_this();
    std::exception_ptr failure;
    try {
      while (acceptor_.is_open()) co_await accept_one();
    } catch (...) {
      failure = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (failure) stop(std::chrono::milliseconds(0));
    co_await connections_.wait();
    grace_.cancel();
    if (failure) std::rethrow_exception(failure);
  }

  void stop(std::chrono::milliseconds grace) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    const auto open = open_;  // a copy: shutting down may end one
    for (const auto& connection : open) connection->shut_down();
    grace_.expires_after(grace);
    grace_.async_wait([weak = weak_from_this()](boost::system::error_code failed) {
      const auto self = weak.lock();
      if (!failed && self) self->connections_.cancel();
    });
  }

 private:
  Task<void> accept_one() {
    boost::system::error_code failed;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (!acceptor_.is_open()) co_return;
    if (failed) {
      // Out of file descriptors or memory: the connection waits in the kernel until some are free again.
      base::log::warn("net", "cannot accept a connection", {{"error", failed.message()}});
      asio::steady_timer pause(setup_->executor, std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
      co_return;
    }
    if (open_.size() >= setup_->settings.limits.connections) co_return;  // closes it
    auto connection = std::make_shared<ServerConnection>(setup_);
    open_.insert(connection);
    connections_.spawn(serve(shared_from_this(), std::move(connection), std::move(socket)));
  }

  static Task<void> serve(std::shared_ptr<Listener> self, std::shared_ptr<ServerConnection> connection, tcp::socket socket) {
    struct Leave {
      ~Leave() { self.open_.erase(connection); }
      Listener& self;
      const std::shared_ptr<ServerConnection>& connection;
    };
    const Leave leave{*self, connection};
    co_await connection->run(std::move(socket));
  }

  std::shared_ptr<ServerSetup> setup_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::set<std::shared_ptr<ServerConnection>> open_;
  TaskGroup connections_;
  asio::steady_timer grace_;
};

Server::Server(asio::any_io_executor executor, ServerSettings settings, Handler handler)
    : listener_(std::make_shared<Listener>(std::move(executor), std::move(settings), std::move(handler))) {}
Server::~Server() = default;
base::Status Server::listen() { return listener_->listen(); }
std::uint16_t Server::port() const { return listener_->port(); }
Task<void> Server::run() { return listener_->run(); }
void Server::stop(std::chrono::milliseconds grace) { listener_->stop(grace); }

}  // namespace kinora::net
