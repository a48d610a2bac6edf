// The server and the client against each other over loopback; peers that are not ours are in tests/interop.
#include "net/server.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "net/sync.hpp"
#include "net/testing.hpp"

namespace kinora::net {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using testing::run;
using testing::TestServer;
using testing::trust;

Task<void> echo(Request& request, Response& response) {
  auto body = co_await request.body->read_all(64 << 20);
  if (!body) co_return;
  Headers headers{{"x-version", std::to_string(request.peer.http_version)}, {"x-tls", request.peer.tls ? "yes" : "no"}};
  (void)co_await response.send(200, std::move(headers), std::move(*body));
}

Task<base::Result<std::string>> post(Client& client, std::string url, std::string body) {
  ClientRequest request;
  request.method = "POST";
  request.trust = url.starts_with("https") ? trust() : TlsTrust{};
  request.url = std::move(url);
  request.body = std::move(body);
  KINORA_CO_TRY(ClientResponse response, co_await client.send(std::move(request)));
  if (response.status() != 200) co_return base::fail(base::ErrorCode::invalid, std::to_string(response.status()));
  KINORA_CO_TRY(std::string text, co_await response.read_all(64 << 20));
  co_return std::string(response.headers().get("x-version").value_or("?")) + ":" + text;
}

// Sends bytes as they are and gives all that comes until the server closes; `seconds` is how long that took.
struct Raw {
  std::string answer;
  double seconds = 0;
};
Task<Raw> raw(std::uint16_t port, std::string bytes) {
  tcp::socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  const auto began = Clock::now();
  boost::system::error_code failed;
  co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
  Raw out;
  co_await asio::async_read(socket, asio::dynamic_buffer(out.answer), asio::redirect_error(asio::use_awaitable, failed));
  out.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  co_return out;
}

TEST(Server, answers_http2_over_tls_and_http1_in_plain_text_on_one_port) {
  asio::io_context loop;
  TestServer server(loop, echo);
  Client client(loop.get_executor());
  EXPECT_EQ(run(loop, post(client, server.url("/a"), "hello")).value(), "20:hello");
  EXPECT_EQ(run(loop, post(client, server.url("/a", false), "hello")).value(), "11:hello");
}

TEST(Server, echoes_bodies_larger_than_every_window) {
  asio::io_context loop;
  TestServer server(loop, echo);
  Client client(loop.get_executor());
  std::string big(20 << 20, 'x');
  for (std::size_t i = 0; i < big.size(); i += 1000) big[i] = static_cast<char>('a' + i / 1000 % 26);
  EXPECT_TRUE(run(loop, post(client, server.url("/"), big)).value() == "20:" + big);
  EXPECT_TRUE(run(loop, post(client, server.url("/", false), big)).value() == "11:" + big);
}

TEST(Server, answers_before_its_first_wait) {  // a handler that never suspends runs to its end at once
  asio::io_context loop;
  TestServer server(loop, [](Request&, Response& response) -> Task<void> { (void)co_await response.send(200, {}, "now"); });
  EXPECT_NE(run(loop, raw(server.server->port(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).answer.find("now"),
            std::string::npos);
}

TEST(Server, holds_a_writer_back_when_the_peer_does_not_read) {
  asio::io_context loop;
  std::size_t written = 0;
  bool cancelled = false;
  TestServer server(loop, [&](Request&, Response& response) -> Task<void> {
    struct Left {
      ~Left() { left = true; }
      bool& left;
    };
    const Left guard{cancelled};
    if (!co_await response.start(200, {})) co_return;
    for (;;) {
      if (!co_await response.write(std::string(64 * 1024, 'x'))) co_return;
      written += 64 * 1024;
    }
  });
  Client client(loop.get_executor());
  for (const bool tls : {true, false}) {
    written = 0;
    cancelled = false;
    {
      ClientRequest request;
      request.url = server.url("/", tls);
      request.trust = tls ? trust() : TlsTrust{};
      auto response = run(loop, client.send(std::move(request))).value();
      // Nobody reads: the loop runs dry of ready work when all buffers are full.
      loop.restart();
      while (loop.run_one_for(300ms) > 0) {
      }
      const std::size_t full = written;
      EXPECT_GE(full, 256u * 1024);
      // Four queues of 256 KiB at most, and the kernel's socket buffers (plain text; HTTP/2 stops at its window).
      EXPECT_LE(full, tls ? 2u << 20 : 16u << 20);
      EXPECT_FALSE(cancelled);
    }  // the response is dropped: the stream is reset, the handler cancelled
    loop.restart();
    while (!cancelled && loop.run_one_for(5s) > 0) {
    }
    EXPECT_TRUE(cancelled);
  }
}

TEST(Server, answers_500_for_a_handler_that_throws_or_says_nothing) {
  asio::io_context loop;
  TestServer server(loop, [](Request& request, Response&) -> Task<void> {
    if (request.path == "/throw") throw std::runtime_error("oops");
    co_return;
  });
  Client client(loop.get_executor());
  for (const char* path : {"/throw", "/nothing"}) {
    for (const bool tls : {true, false}) EXPECT_EQ(run(loop, post(client, server.url(path, tls), "")).error().message, "500");
  }
}

TEST(Server, breaks_off_an_answer_that_its_handler_left_unfinished) {
  asio::io_context loop;
  TestServer server(loop, [](Request&, Response& response) -> Task<void> {
    (void)co_await response.start(200, {});
    (void)co_await response.write("part");
  });
  Client client(loop.get_executor());
  for (const bool tls : {true, false}) {
    EXPECT_EQ(run(loop, post(client, server.url("/", tls), "")).error().code, base::ErrorCode::unavailable);
  }
}

TEST(Server, keeps_handlers_from_breaking_the_protocol) {
  asio::io_context loop;
  std::vector<bool> allowed;
  TestServer server(loop, [&](Request&, Response& response) -> Task<void> {
    allowed.push_back((co_await response.start(200, Headers().with("x", "a\r\nset-cookie: b"))).has_value());
    allowed.push_back((co_await response.start(99, {})).has_value());
    allowed.push_back((co_await response.write("early")).has_value());
    allowed.push_back((co_await response.start(200, Headers().with("content-length", "3"))).has_value());
    allowed.push_back((co_await response.start(200, {})).has_value());
    allowed.push_back((co_await response.write("four")).has_value());
    allowed.push_back((co_await response.finish()).has_value());
    allowed.push_back((co_await response.write("abc")).has_value());
    allowed.push_back((co_await response.finish()).has_value());
  });
  Client client(loop.get_executor());
  EXPECT_EQ(run(loop, post(client, server.url("/"), "")).value(), "?:abc");
  EXPECT_EQ(allowed, (std::vector<bool>{false, false, false, true, false, false, false, true, true}));
}

TEST(ServerLimits, body_past_the_limit_is_413) {
  asio::io_context loop;
  ServerLimits limits;
  limits.body_bytes = 1000;
  TestServer server(loop, echo, limits);
  Client client(loop.get_executor());
  for (const bool tls : {true, false}) {
    EXPECT_TRUE(run(loop, post(client, server.url("/", tls), std::string(1000, 'x'))));
    EXPECT_EQ(run(loop, post(client, server.url("/", tls), std::string(1001, 'x'))).error().message, "413");
  }
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n";
  EXPECT_EQ(run(loop, raw(server.server->port(), chunked)).answer.substr(0, 12), "HTTP/1.1 413");
}

TEST(ServerLimits, header_past_the_limit_is_431) {
  asio::io_context loop;
  TestServer server(loop, echo);
  Client client(loop.get_executor());
  for (const bool tls : {true, false}) {
    ClientRequest request;
    request.url = server.url("/", tls);
    request.trust = tls ? trust() : TlsTrust{};
    request.headers.add("x", std::string(ServerLimits{}.header_bytes, 'x'));
    EXPECT_EQ(run(loop, client.send(std::move(request))).value().status(), 431);
  }
}

TEST(ServerLimits, connections_past_the_limit_are_closed_at_once) {
  asio::io_context loop;
  ServerLimits limits;
  limits.connections = 2;
  TestServer server(loop, echo, limits);
  run(loop, [](std::uint16_t port) -> Task<void> {
    const auto executor = co_await asio::this_coro::executor;
    std::vector<tcp::socket> sockets;
    for (int i = 0; i < 3; ++i) {
      sockets.emplace_back(executor);
      co_await sockets.back().async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
    }
    char byte = 0;
    boost::system::error_code failed;
    co_await sockets[2].async_read_some(asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, failed));
    EXPECT_TRUE(failed);
    sockets.erase(sockets.begin());
    // A place is free again.
    EXPECT_EQ((co_await raw(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).answer.substr(0, 15), "HTTP/1.1 200 OK");
  }(server.server->port()));
}

TEST(ServerLimits, a_peer_that_says_nothing_or_half_a_head_is_closed_in_time) {
  asio::io_context loop;
  ServerLimits limits;
  limits.handshake = 1s;
  TestServer server(loop, echo, limits);
  const auto port = server.server->port();
  for (const std::string& bytes : {std::string(), std::string("GET / HT"), std::string("\x16\x03\x01")}) {
    const auto out = run(loop, raw(port, bytes));
    EXPECT_GE(out.seconds, 0.9);
    EXPECT_LE(out.seconds, 5.0);
  }
  // The same for the next request of a connection.
  const auto second = run(loop, raw(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT"));
  EXPECT_EQ(second.answer.substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_LE(second.seconds, 5.0);
}

TEST(ServerLimits, idle_connections_and_stalled_bodies_are_closed_in_time) {
  asio::io_context loop;
  ServerLimits limits;
  limits.idle = 1s;
  TestServer server(loop, echo, limits);
  const auto port = server.server->port();
  const auto idle = run(loop, raw(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(idle.answer.substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_GE(idle.seconds, 0.9);
  EXPECT_LE(idle.seconds, 5.0);
  const auto stalled = run(loop, raw(port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"));
  EXPECT_EQ(stalled.answer.substr(0, 12), "HTTP/1.1 408");
  EXPECT_LE(stalled.seconds, 5.0);
}

TEST(ServerStop, lets_running_requests_end_and_takes_no_new_ones) {
  asio::io_context loop;
  Signal go(loop.get_executor());
  bool began = false, may_end = false;
  TestServer server(loop, [&](Request&, Response& response) -> Task<void> {
    began = true;
    while (!may_end) co_await go.wait();
    (void)co_await response.send(200, {}, "done");
  });
  Client client(loop.get_executor());
  std::optional<base::Result<std::string>> answer;
  asio::co_spawn(loop, post(client, server.url("/"), ""),
                 [&](std::exception_ptr, base::Result<std::string> result) { answer = std::move(result); });
  while (!began) loop.run_one();
  server.server->stop(30s);
  EXPECT_EQ(run(loop, post(client, server.url("/"), "")).error().code, base::ErrorCode::unavailable) << "nobody listens";
  may_end = true;
  go.notify();
  server.stop(30s);
  loop.restart();
  while (!answer && loop.run_one_for(5s) > 0) {
  }
  EXPECT_EQ(answer->value(), "?:done");
}

TEST(ServerStop, cancels_what_still_runs_after_the_grace) {
  asio::io_context loop;
  bool began = false, left = false;
  TestServer server(loop, [&](Request&, Response&) -> Task<void> {
    struct Left {
      ~Left() { to = true; }
      bool& to;
    };
    const Left guard{left};
    began = true;
    Signal never(co_await asio::this_coro::executor);
    co_await never.wait();
  });
  Client client(loop.get_executor());
  std::optional<base::Result<std::string>> answer;
  asio::co_spawn(loop, post(client, server.url("/"), ""),
                 [&](std::exception_ptr, base::Result<std::string> result) { answer = std::move(result); });
  while (!began) loop.run_one();
  server.stop(10ms);
  EXPECT_TRUE(left);
}

TEST(ServerSettings, refuses_addresses_that_cannot_be_listened_on) {
  asio::io_context loop;
  ServerSettings settings;
  settings.address = "localhost";
  EXPECT_EQ(Server(loop.get_executor(), settings, echo).listen().error().code, base::ErrorCode::invalid);
  settings.address = "192.0.2.1";  // TEST-NET-1: nobody's
  EXPECT_EQ(Server(loop.get_executor(), settings, echo).listen().error().code, base::ErrorCode::io);
}

}  // namespace
}  // namespace kinora::net
