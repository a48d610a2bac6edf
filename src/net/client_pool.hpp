#pragma once
// The client's connections, by server and trust. HTTP/2: one connection carries many requests; HTTP/1.1: one each.
#include <map>

#include "net/client_connection.hpp"

namespace kinora::net {

class Client::Pool : public std::enable_shared_from_this<Client::Pool> {
 public:
  Pool(boost::asio::any_io_executor executor, ClientSettings settings);
  // A connection that can take a request now. `fresh`: not one that has been used before, because one of those was dead.
  Task<base::Result<std::shared_ptr<ClientConnection>>> acquire(const Url& url, const TlsTrust& trust, Reach reach, bool fresh,
                                                                Clock::time_point deadline);
  // Something about the connection has changed: an exchange ended, or it did.
  void changed(const std::shared_ptr<ClientConnection>& connection);
  void close();
  const boost::asio::any_io_executor& executor() const { return executor_; }
  TaskGroup& tasks() { return tasks_; }

 private:
  struct Key {
    std::string authority;
    bool tls = false;
    TlsTrust trust;
    Reach reach = Reach::anywhere;  // a connection that was made without a check never serves a request that wants one
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Host {
    explicit Host(const boost::asio::any_io_executor& executor) : freed(executor) {}
    std::vector<std::shared_ptr<ClientConnection>> connections;
    std::size_t dialing = 0;
    bool http2 = false;              // what the last connection spoke
    bool known = false;              // there was one
    std::uint64_t failed_dials = 0;  // those who waited for a dial share its failure
    base::Error failure;
    Signal freed;
  };

  std::shared_ptr<Host> host(const Key& key);
  std::shared_ptr<ClientConnection> usable(Host& host, bool fresh);
  void prune(Host& host);
  std::shared_ptr<boost::asio::ssl::context> context(const TlsTrust& trust);
  Task<void> carry(std::shared_ptr<Host> host, std::shared_ptr<ClientConnection> connection);

  boost::asio::any_io_executor executor_;
  ClientSettings settings_;
  std::map<Key, std::shared_ptr<Host>> hosts_;
  std::map<TlsTrust, std::shared_ptr<boost::asio::ssl::context>> contexts_;
  TaskGroup tasks_;
};

}  // namespace kinora::net
