#pragma once
// One connection of the client's pool, and the exchanges on it.
#include "net/client.hpp"
#include "net/connection.hpp"
#include "net/url.hpp"

namespace kinora::net {

class ClientExchange final : public Exchange {
 public:
  explicit ClientExchange(const boost::asio::any_io_executor& executor) : changed(executor) {}
  void notify() override { changed.notify(); }
  Signal changed;
};

class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  ClientConnection(Transport transport, const ClientSettings& settings);
  Task<void> run();  // until the connection has ended
  bool multiplexes() const { return engine().multiplexes(); }
  bool can_submit() const { return !ended_ && engine().can_submit(); }
  bool busy() const { return engine().busy(); }
  bool ended() const { return ended_ || engine().done(); }
  std::shared_ptr<ClientExchange> submit(MessageHead head, std::string body, bool more_body);
  ClientEngine& engine() const { return static_cast<ClientEngine&>(const_cast<Connection&>(connection_).engine()); }
  void wake() { connection_.wake(); }
  void shut_down();
  const std::string& peer_pin() const { return peer_pin_; }
  Clock::time_point idle_since() const { return connection_.last_progress(); }
  bool used = false;  // it has carried a request before

 private:
  std::string peer_pin_;
  Connection connection_;
  bool ended_ = false;
};

struct Destination {
  Url url;
  TlsTrust trust;
  Reach reach = Reach::anywhere;
  Resolver resolver;
};
// Opens a connection: name, TCP, TLS. Errors: forbidden (no address within the reach), unavailable, unauthenticated, timeout.
Task<base::Result<Transport>> dial(boost::asio::any_io_executor executor, Destination to,
                                   std::shared_ptr<boost::asio::ssl::context> context, Clock::time_point deadline);

}  // namespace kinora::net
