#pragma once
// One accepted connection: finds out what it speaks, serves its requests, enforces the times of ServerLimits.
#include "net/connection.hpp"
#include "net/server.hpp"
#include "net/server_stream.hpp"

namespace kinora::net {

// What all connections of a server share.
struct ServerSetup {
  boost::asio::any_io_executor executor;
  ServerSettings settings;
  std::shared_ptr<boost::asio::ssl::context> tls;  // null without an identity
  Handler handler;
};

class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  explicit ServerConnection(std::shared_ptr<const ServerSetup> setup);
  // Until the connection and all its handlers have ended. Cancelling it ends them.
  Task<void> run(boost::asio::ip::tcp::socket socket);
  void shut_down();  // no new requests; ends after the running ones

 private:
  Task<std::optional<Transport>> prepare(boost::asio::ip::tcp::socket socket);
  Task<void> serve(std::shared_ptr<ServerExchange> exchange);
  Task<void> handle(ServerExchange& exchange, ServerResponse& response);
  Task<void> watch();
  void note_head();
  Clock::time_point deadline() const;
  std::unique_ptr<Engine> make_engine(bool http2);

  std::shared_ptr<const ServerSetup> setup_;
  Peer peer_;
  std::optional<Connection> connection_;
  TaskGroup handlers_;
  Signal stopped_;
  bool stopping_ = false;
  Clock::time_point accepted_ = Clock::now();
  std::optional<Clock::time_point> head_began_;
};

}  // namespace kinora::net
