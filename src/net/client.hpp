#pragma once
// HTTP client with a connection pool: HTTP/2 where the server selects it by ALPN (many requests on one connection),
// else HTTP/1.1 with keep-alive; plain HTTP/1.1 for http:// URLs. No redirects, no proxies: it talks to our own nodes.
//
//   Client client(executor, {});
//   KINORA_CO_TRY(ClientResponse answer, co_await client.send({.method = "GET", .url = url, .deadline = 2s}));
//
// Cancelling the awaiting coroutine, or destroying the ClientResponse before its end, resets the stream.
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "net/http.hpp"
#include "net/reach.hpp"
#include "net/tls.hpp"

namespace kinora::net {

// Gives the next piece of a request body, empty at the end.
using BodySource = std::function<Task<base::Result<std::string>>()>;

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // absolute http:// or https://
  Headers headers{};
  std::string body{};
  BodySource body_source{};                       // instead of body
  std::optional<std::uint64_t> content_length{};  // of body_source, when known; else chunked
  TlsTrust trust{};
  Reach reach = Reach::anywhere;
  std::chrono::milliseconds deadline{30'000};  // from now until the response's headers
  std::chrono::milliseconds idle{60'000};      // longest silence while the response body arrives
};

class ClientResponse {
 public:
  class Stream;
  explicit ClientResponse(std::unique_ptr<Stream> stream);
  ClientResponse(ClientResponse&&) noexcept;
  ClientResponse& operator=(ClientResponse&&) noexcept;
  ~ClientResponse();
  int status() const;
  const Headers& headers() const;
  Task<base::Result<std::string>> read();  // next piece, empty at the end
  Task<base::Result<std::string>> read_all(std::size_t max_bytes);
  const Headers& trailers() const;      // after the end
  const std::string& peer_pin() const;  // empty without TLS

 private:
  std::unique_ptr<Stream> stream_;
};

struct ClientSettings {
  std::size_t idle_connections_per_host = 32;
  std::size_t connections_per_host = 256;  // HTTP/1.1: further requests wait
  std::chrono::seconds idle_connection{60};
  std::chrono::milliseconds connect{2'000};  // TCP and TLS handshake, go-livepeer's dial timeout
  std::size_t header_bytes = 64 * 1024;
  Resolver resolver{};  // default: the system's, within `connect`
};

class Client {
 public:
  class Pool;
  Client(boost::asio::any_io_executor executor, ClientSettings settings = {});
  ~Client();
  // Errors: invalid (URL), forbidden (no address within the reach), unavailable (cannot connect, connection lost), unauthenticated
  // (wrong key), timeout, too_large.
  // A request without a body, or whose body was not begun, is sent once more on a new connection when a pooled one turns out to be dead.
  Task<base::Result<ClientResponse>> send(ClientRequest request);
  void close();  // drops all pooled connections

 private:
  std::shared_ptr<Pool> pool_;
};

}  // namespace kinora::net
