#pragma once
// One listening port that speaks HTTP/1.1 and HTTP/2 over TLS (ALPN) and, on loopback when allowed, plain HTTP/1.1:
// the first byte tells TLS from plain text. HTTP/2 without TLS (h2c, prior knowledge) is refused.
//
//   Server server(executor, settings, [&](Request& request, Response& response) -> Task<void> { ... });
//   KINORA_OK(server.listen());  co_await server.run();
//
// run() ends after stop(); destroying the server before run() has ended is not allowed.
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "net/http.hpp"
#include "net/tls.hpp"

namespace kinora::net {

using Handler = std::function<Task<void>(Request&, Response&)>;

// Every limit of the server. Past a limit the peer gets the status named, or its stream or connection is closed.
struct ServerLimits {
  std::size_t header_bytes = 32 * 1024;                  // 431; HTTP/2: 431 or stream error
  std::size_t header_count = 128;                        // 431
  std::uint64_t body_bytes = 5ull * 1024 * 1024 * 1024;  // 413; handlers set their own, smaller
  std::uint32_t h2_streams = 256;                        // per connection, announced in SETTINGS
  std::size_t connections = 4096;                        // further ones are closed at once
  std::chrono::seconds handshake{10};                    // TLS handshake and first request's headers
  std::chrono::seconds idle{60};                         // no byte in either direction while no request runs; and a stalled body
  std::size_t h2_resets_per_minute = 1000;               // rapid reset (CVE-2023-44487): connection closed
};

struct ServerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0 picks a free one
  std::optional<TlsIdentity> tls{};
  bool plain_on_loopback = false;  // plain HTTP/1.1 from loopback peers on the same port
  bool plain_from_anyone = false;  // and from all others: for a service behind somebody else's front, such as a container's
  ServerLimits limits{};
};

class Server {
 public:
  Server(boost::asio::any_io_executor executor, ServerSettings settings, Handler handler);
  ~Server();
  base::Status listen();
  std::uint16_t port() const;
  Task<void> run();
  // Stops accepting, sends GOAWAY / connection: close, lets running requests end for at most `grace`, then cancels them.
  void stop(std::chrono::milliseconds grace);

 private:
  class Listener;
  std::shared_ptr<Listener> listener_;
};

}  // namespace kinora::net
