#pragma once
// WebSocket (RFC 6455) on the server's port, over HTTP/1.1 with or without TLS. No extensions, no subprotocol.
//
//   auto socket = co_await WebSocket::accept(request, response, {}, limits);   // or the answer was an error
//   while (auto message = co_await socket->read()) co_await socket->send_text(...);
//   co_await socket->close(WsClose::normal, "");
//
// Threading: the connection's executor; one read() at a time, writes from any coroutine (frames never mix). Pings are answered by read();
// keep_alive() sends our own, so that a peer that has gone is noticed.
#include "net/http.hpp"
#include "net/sync.hpp"
#include "net/websocket_frame.hpp"

namespace kinora::net {

struct WebSocketLimits {
  std::size_t message_bytes = 64 * 1024;         // close 1009 past it
  std::chrono::milliseconds ping_every{20'000};  // below the server's idle limit, which ends a connection without bytes
};

class WebSocket {
 public:
  // Answers the handshake; nullptr: it was none, and an error was answered: 426 (with the version, or over HTTP/2) or 400.
  static Task<std::unique_ptr<WebSocket>> accept(Request& request, Response& response, Headers headers, WebSocketLimits limits);

  // The next text or binary message; nullopt: the connection has ended (a close was answered, a fault closed it, the peer went away).
  Task<std::optional<WsMessage>> read();
  // Suspends while the peer reads slowly. Errors: unavailable (ended), timeout.
  Task<base::Status> send_text(std::string text);
  Task<base::Status> send_binary(std::string bytes);
  Task<void> close(WsClose code, std::string reason);  // once; later calls do nothing
  Task<void> keep_alive();                             // until cancelled or closed
  bool closed() const { return closed_; }

 private:
  WebSocket(Request& request, Response& response, WebSocketLimits limits)
      : body_(*request.body), response_(response), limits_(limits), parser_(limits.message_bytes) {}
  Task<base::Status> send(WsKind kind, std::string payload);

  BodyReader& body_;
  Response& response_;
  WebSocketLimits limits_;
  WsParser parser_;
  std::vector<WsMessage> arrived_;
  std::size_t next_ = 0;
  bool closed_ = false;
};

}  // namespace kinora::net
