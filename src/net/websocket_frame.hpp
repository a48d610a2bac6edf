#pragma once
// WebSocket frames (RFC 6455 5), the server's side: what clients send is masked, what we send is not. Pure: no sockets, no clock.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kinora::net {

enum class WsClose : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  none_given = 1005,  // never sent
  invalid_text = 1007,
  policy = 1008,
  too_large = 1009,
  internal = 1011
};

enum class WsKind : std::uint8_t { text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// A whole message, joined from its fragments, or a control frame.
struct WsMessage {
  WsKind kind = WsKind::text;
  std::string data;        // of close: the reason
  std::uint16_t code = 0;  // of close
};

// Why the connection has to end.
struct WsFault {
  WsClose code = WsClose::protocol_error;
  std::string reason;
};

// Cuts messages out of a client's bytes in pieces of any size.
class WsParser {
 public:
  explicit WsParser(std::size_t max_message_bytes) : max_(max_message_bytes) {}
  // What has become whole; after a fault nothing more may be fed.
  tl::expected<std::vector<WsMessage>, WsFault> feed(std::string_view bytes);

 private:
  struct Header;
  tl::expected<bool, WsFault> take_frame(std::vector<WsMessage>& out);
  tl::expected<void, WsFault> take_control(WsKind kind, std::string payload, std::vector<WsMessage>& out);
  std::size_t max_;
  std::string buffer_;
  std::string message_;  // fragments so far
  WsKind message_kind_ = WsKind::text;
  bool in_message_ = false;
};

// A frame of ours: one whole message. A close frame's payload is close_payload().
std::string ws_frame(WsKind kind, std::string_view payload);
std::string ws_close_payload(WsClose code, std::string_view reason);
bool is_utf8(std::string_view text);
// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 4.2.2).
std::string ws_accept(std::string_view key);

}  // namespace kinora::net
