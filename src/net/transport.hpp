#pragma once
// A TCP connection with or without TLS. One read and one write may run at the same time.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>

#include "net/http.hpp"

namespace kinora::net {

class Transport {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Error = boost::system::error_code;
  explicit Transport(Socket socket);
  // TLS from now on; then one of the handshakes.
  void secure(std::shared_ptr<boost::asio::ssl::context> context);
  Task<Error> accept_handshake();
  // `host` for SNI, and for the certificate's name when verify_name.
  Task<Error> connect_handshake(const std::string& host, bool verify_name);

  Task<std::size_t> read(char* to, std::size_t max, Error& failed);
  Task<void> write(std::string_view bytes, Error& failed);  // all of them
  // Tells the peer that nothing more comes, and takes what it still sends for a short time: closing at once would make the
  // kernel reset the connection and the peer lose our last answer.
  Task<void> finish();
  void close();

  bool tls() const { return tls_.has_value(); }
  bool chose_http2() const;          // by ALPN
  std::string peer_pin() const;      // empty without TLS
  bool verification_failed() const;  // the handshake broke off because of the peer's certificate
  Socket& socket() { return tls_ ? tls_->next_layer() : *plain_; }

 private:
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::optional<Socket> plain_;
  std::optional<boost::asio::ssl::stream<Socket>> tls_;
};

}  // namespace kinora::net
