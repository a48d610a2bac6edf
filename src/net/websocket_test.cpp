#include "net/websocket.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "net/testing.hpp"

namespace kinora::net {
namespace {

namespace asio = boost::asio;
using testing::run;
using testing::TestServer;

constexpr std::string_view kHandshake =
    "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: keep-alive, Upgrade\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// Frames of a client, short ones only, with a mask of zeros.
std::string frame(WsKind kind, std::string_view payload, bool last = true) {
  std::string out{static_cast<char>((last ? 0x80 : 0) | static_cast<int>(kind)), static_cast<char>(0x80 | payload.size())};
  out += std::string(4, '\0');
  out += payload;
  return out;
}

class WebSockets : public ::testing::Test {
 protected:
  // Sends the bytes as they are; everything that comes until the server closes or `enough` bytes have come after the head.
  std::string talk(std::string bytes, std::size_t enough = 1 << 20) {
    return run(loop, [](asio::io_context& loop_, std::uint16_t port, std::string out, std::size_t most) -> Task<std::string> {
      asio::ip::tcp::socket socket(loop_);
      co_await socket.async_connect({asio::ip::make_address("127.0.0.1"), port}, asio::use_awaitable);
      co_await asio::async_write(socket, asio::buffer(out), asio::use_awaitable);
      std::string in;
      std::array<char, 4096> some;
      boost::system::error_code failed;
      for (;;) {
        const auto head = in.find("\r\n\r\n");
        if (head != std::string::npos && in.size() >= head + 4 + most) break;
        in.append(some.data(), co_await socket.async_read_some(asio::buffer(some), asio::redirect_error(asio::use_awaitable, failed)));
        if (failed) break;
      }
      co_return in;
    }(loop, server.server->port(), std::move(bytes), enough));
  }
  std::string after_head(const std::string& all) {
    EXPECT_TRUE(all.starts_with("HTTP/1.1 101 ")) << all;
    return all.substr(std::min(all.find("\r\n\r\n") + 4, all.size()));
  }

  asio::io_context loop;
  WebSocketLimits limits{1000, std::chrono::milliseconds(20'000)};
  TestServer server{loop, [this](Request& request, Response& response) -> Task<void> {
                      using namespace asio::experimental::awaitable_operators;
                      const auto socket = co_await WebSocket::accept(request, response, Headers().with("x-request-id", "7"), limits);
                      if (!socket) co_return;
                      co_await (echo(*socket) || socket->keep_alive());
                    }};
  static Task<void> echo(WebSocket& socket) {
    while (auto message = co_await socket.read()) {
      if (message->data == "bye") {
        co_await socket.close(WsClose::going_away, "later");
      } else if (message->kind == WsKind::text) {
        (void)co_await socket.send_text(std::move(message->data));
      } else {
        (void)co_await socket.send_binary(std::move(message->data));
      }
    }
  }
};

TEST_F(WebSockets, shake_hands_and_carry_messages_both_ways) {
  const auto all = talk(std::string(kHandshake) + frame(WsKind::text, "Hello") + frame(WsKind::binary, "\x01"), 10);
  EXPECT_NE(all.find("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), std::string::npos) << all;
  EXPECT_NE(all.find("upgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(all.find("x-request-id: 7\r\n"), std::string::npos);
  EXPECT_EQ(after_head(all), "\x81\x05Hello\x82\x01\x01");
}

TEST_F(WebSockets, answer_a_ping_and_a_close) {
  const auto all = talk(std::string(kHandshake) + frame(WsKind::ping, "p") + frame(WsKind::close, "\x03\xe8"));
  EXPECT_EQ(after_head(all), "\x8a\x01p\x88\x02\x03\xe8") << "and the connection is closed";
}

TEST_F(WebSockets, close_with_their_reason) {
  EXPECT_EQ(after_head(talk(std::string(kHandshake) + frame(WsKind::text, "bye"))), std::string("\x88\x07\x03\xe9later"));
}

TEST_F(WebSockets, close_when_the_peer_breaks_a_rule) {
  const auto broken = after_head(talk(std::string(kHandshake) + "\x81\x05Hello"));
  EXPECT_EQ(broken.substr(0, 1), "\x88");
  EXPECT_EQ(broken.substr(2, 2), "\x03\xea");  // 1002
  const auto large = after_head(talk(std::string(kHandshake) + std::string("\x81\xfe\x04\x00\0\0\0\0", 8)));
  EXPECT_EQ(large.substr(2, 2), "\x03\xf1");  // 1009
}

TEST_F(WebSockets, ping_a_silent_peer) {
  limits.ping_every = std::chrono::milliseconds(5);
  EXPECT_EQ(after_head(talk(std::string(kHandshake), 2)).substr(0, 2), std::string("\x89\0", 2));
}

TEST_F(WebSockets, end_when_the_server_stops) {
  bool ended = false;
  asio::co_spawn(
      loop,
      [&]() -> Task<void> {
        asio::ip::tcp::socket socket(loop);
        co_await socket.async_connect({asio::ip::make_address("127.0.0.1"), server.server->port()}, asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(kHandshake), asio::use_awaitable);
        std::array<char, 1> byte;
        co_await socket.async_read_some(asio::buffer(byte), asio::use_awaitable);
        server.server->stop(std::chrono::milliseconds(0));
        boost::system::error_code failed;
        while (!failed) co_await socket.async_read_some(asio::buffer(byte), asio::redirect_error(asio::use_awaitable, failed));
        ended = true;
      },
      asio::detached);
  loop.restart();
  while (!ended && loop.run_one_for(std::chrono::seconds(10)) > 0) {
  }
  EXPECT_TRUE(ended);
}

TEST_F(WebSockets, are_refused_with_the_version_that_is_spoken) {
  const auto version = talk(
      "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 8\r\n"
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nconnection: close\r\n\r\n");
  EXPECT_TRUE(version.starts_with("HTTP/1.1 426 ")) << version;
  EXPECT_NE(version.find("sec-websocket-version: 13\r\n"), std::string::npos);
  EXPECT_TRUE(talk("GET /ws HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").starts_with("HTTP/1.1 426 "));
  EXPECT_TRUE(talk("GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-version: 13\r\n"
                   "sec-websocket-key: dG9vIHNob3J0\r\n\r\n")
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(talk("GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-version: 13\r\n"
                   "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ncontent-length: 5\r\n\r\nHello")
                  .starts_with("HTTP/1.1 426 "));
}

TEST_F(WebSockets, are_not_spoken_over_http2) {
  Client client(loop.get_executor());
  ClientRequest request;
  request.url = server.url("/ws");
  request.trust = testing::trust();
  auto answer = run(loop, client.send(std::move(request)));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status(), 426);
}

}  // namespace
}  // namespace kinora::net
