#include "net/websocket.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/bytes.hpp"

namespace kinora::net {
namespace {

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

bool lists(const Headers& headers, std::string_view name, std::string_view word) {
  for (std::string_view rest : headers.all(name))
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      std::string_view item = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
      while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
      if (same_word(item, word)) return true;
    }
  return false;
}

Task<void> refuse(Response& response, Headers headers, int status, std::string text) {
  headers.set("content-type", "text/plain");
  if (status == 426) headers.set("sec-websocket-version", "13");
  (void)co_await response.send(status, std::move(headers), text + "\n");
}

}  // namespace

Task<std::unique_ptr<WebSocket>> WebSocket::accept(Request& request, Response& response, Headers headers, WebSocketLimits limits) {
  const Headers& asked = request.headers;
  const bool upgrade = lists(asked, "upgrade", "websocket") && lists(asked, "connection", "upgrade");
  if (!upgrade || asked.get("sec-websocket-version").value_or("") != "13") {
    co_await refuse(response, std::move(headers), 426, "this is a WebSocket: connect with version 13 over HTTP/1.1");
    co_return nullptr;
  }
  const auto key = base::from_base64(asked.get("sec-websocket-key").value_or(""));
  constexpr std::size_t kNonceBytes = 16;
  if (!key || key->size() != kNonceBytes) {
    co_await refuse(response, std::move(headers), 400, "Sec-WebSocket-Key must be 16 bytes in base64");
    co_return nullptr;
  }
  Headers agreed = headers;
  agreed.set("sec-websocket-accept", ws_accept(*asked.get("sec-websocket-key")));
  if (!co_await response.upgrade("websocket", std::move(agreed))) {
    if (!response.started()) co_await refuse(response, std::move(headers), 426, "a WebSocket needs HTTP/1.1 and a request without a body");
    co_return nullptr;
  }
  co_return std::unique_ptr<WebSocket>(new WebSocket(request, response, limits));
}

Task<std::optional<WsMessage>> WebSocket::read() {
  for (;;) {
    while (next_ < arrived_.size()) {
      WsMessage message = std::move(arrived_[next_++]);
      if (message.kind == WsKind::ping) {
        (void)co_await send(WsKind::pong, std::move(message.data));
      } else if (message.kind == WsKind::close) {
        co_await close(
            message.code == static_cast<std::uint16_t>(WsClose::none_given) ? WsClose::normal : static_cast<WsClose>(message.code), "");
        co_return std::nullopt;
      } else if (message.kind != WsKind::pong) {
        co_return message;
      }
    }
    if (closed_) co_return std::nullopt;
    auto piece = co_await body_.read();
    if (!piece || piece->empty()) {
      closed_ = true;
      co_return std::nullopt;
    }
    auto messages = parser_.feed(*piece);
    if (!messages) {
      co_await close(messages.error().code, messages.error().reason);
      co_return std::nullopt;
    }
    arrived_ = std::move(*messages);
    next_ = 0;
  }
}

Task<base::Status> WebSocket::send(WsKind kind, std::string payload) {
  if (closed_) co_return base::fail(base::ErrorCode::unavailable, "the WebSocket is closed");
  co_return co_await response_.write(ws_frame(kind, payload));
}

Task<base::Status> WebSocket::send_text(std::string text) { return send(WsKind::text, std::move(text)); }
Task<base::Status> WebSocket::send_binary(std::string bytes) { return send(WsKind::binary, std::move(bytes)); }

Task<void> WebSocket::close(WsClose code, std::string reason) {
  if (closed_) co_return;
  closed_ = true;
  if (co_await response_.write(ws_frame(WsKind::close, ws_close_payload(code, reason)))) (void)co_await response_.finish();
}

Task<void> WebSocket::keep_alive() {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  while (!closed_) {
    timer.expires_after(limits_.ping_every);
    co_await timer.async_wait(boost::asio::use_awaitable);
    if (!co_await send(WsKind::ping, "")) co_return;
  }
}

}  // namespace kinora::net
