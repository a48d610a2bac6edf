#include "net/client.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
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
using base::ErrorCode;
using testing::run;
using testing::TestServer;
using testing::trust;

Task<void> hello(Request&, Response& response) { (void)co_await response.send(200, {}, "hello"); }

ClientRequest get(std::string url) {
  ClientRequest request;
  request.trust = url.starts_with("https") ? trust() : TlsTrust{};
  request.url = std::move(url);
  return request;
}

Task<base::Result<std::string>> fetch(Client& client, ClientRequest request) {
  KINORA_CO_TRY(ClientResponse response, co_await client.send(std::move(request)));
  co_return co_await response.read_all(1 << 20);
}

// Handlers that wait for ever, and tell when they are cancelled.
struct Hanging {
  Handler handler() {
    return [this](Request& request, Response& response) -> Task<void> {
      struct Left {
        ~Left() { ++left; }
        int& left;
      };
      const Left guard{left};
      ++began;
      if (request.path == "/body") {
        if (!co_await response.start(200, {})) co_return;
        if (!co_await response.write("some")) co_return;
      }
      Signal never(co_await asio::this_coro::executor);
      for (;;) co_await never.wait();
    };
  }
  void wait_left(asio::io_context& loop, int n) {
    loop.restart();
    while (left < n && loop.run_one_for(10s) > 0) {
    }
    EXPECT_EQ(left, n);
  }
  int began = 0;
  int left = 0;
};

TEST(ClientTrust, accepts_the_pinned_key_only) {
  asio::io_context loop;
  TestServer server(loop, hello);
  Client client(loop.get_executor());
  EXPECT_EQ(run(loop, fetch(client, get(server.url("/")))).value(), "hello");
  auto wrong = get(server.url("/"));
  wrong.trust = TlsTrust::pinned(generate_identity("127.0.0.1").value().pin);
  EXPECT_EQ(run(loop, fetch(client, wrong)).error().code, ErrorCode::unauthenticated);
  auto no_pin = get(server.url("/"));
  no_pin.trust = TlsTrust::pinned("sha256/short");
  EXPECT_EQ(run(loop, fetch(client, no_pin)).error().code, ErrorCode::invalid);
  auto plain = get(server.url("/", false));
  plain.trust = trust();
  EXPECT_EQ(run(loop, fetch(client, plain)).error().code, ErrorCode::invalid) << "a pin must not be dropped silently";
}

TEST(ClientTrust, learns_the_key_that_it_meets) {
  asio::io_context loop;
  TestServer server(loop, hello);
  Client client(loop.get_executor());
  auto request = get(server.url("/"));
  request.trust = TlsTrust::learn();
  EXPECT_EQ(run(loop, client.send(request)).value().peer_pin(), testing::identity().pin);
  EXPECT_EQ(run(loop, client.send(get(server.url("/", false)))).value().peer_pin(), "");
}

TEST(ClientTrust, refuses_a_certificate_that_no_authority_signed) {
  asio::io_context loop;
  TestServer server(loop, hello);
  Client client(loop.get_executor());
  auto request = get(server.url("/"));
  request.trust = {};
  EXPECT_EQ(run(loop, fetch(client, request)).error().code, ErrorCode::unauthenticated);
}

TEST(ClientPool, sends_many_requests_on_one_http2_connection) {
  asio::io_context loop;
  ServerLimits limits;
  limits.connections = 1;
  TestServer server(loop, hello, limits);
  Client client(loop.get_executor());
  int good = 0;
  for (int i = 0; i < 200; ++i) {
    asio::co_spawn(loop, fetch(client, get(server.url("/"))),
                   [&](std::exception_ptr, base::Result<std::string> text) { good += text == "hello"; });
  }
  loop.restart();
  while (good < 200 && loop.run_one_for(20s) > 0) {
  }
  EXPECT_EQ(good, 200);
}

TEST(ClientPool, lets_requests_wait_for_one_of_its_http1_connections) {
  asio::io_context loop;
  ServerLimits limits;
  limits.connections = 3;
  TestServer server(loop, hello, limits);
  ClientSettings settings;
  settings.connections_per_host = 3;
  Client client(loop.get_executor(), settings);
  int good = 0;
  for (int i = 0; i < 50; ++i) {
    asio::co_spawn(loop, fetch(client, get(server.url("/", false))),
                   [&](std::exception_ptr, base::Result<std::string> text) { good += text == "hello"; });
  }
  loop.restart();
  while (good < 50 && loop.run_one_for(20s) > 0) {
  }
  EXPECT_EQ(good, 50);
}

// A server by hand: answers the first request of each connection and closes at the second without an answer.
struct OneShot {
  explicit OneShot(asio::io_context& loop)
      : acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), tasks(loop.get_executor()) {
    tasks.spawn(accept());
  }
  Task<void> accept() {
    for (;;) {
      auto socket = co_await acceptor.async_accept(asio::use_awaitable);
      ++connections;
      tasks.spawn(serve(std::move(socket)));
    }
  }
  Task<void> serve(tcp::socket socket) {
    std::string bytes;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(bytes), "\r\n\r\n", asio::use_awaitable);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
    bytes.clear();
    co_await asio::async_read_until(socket, asio::dynamic_buffer(bytes), "\r\n\r\n", asio::use_awaitable);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/"; }
  tcp::acceptor acceptor;
  TaskGroup tasks;
  int connections = 0;
};

TEST(ClientPool, repeats_what_is_safe_to_repeat_when_a_pooled_connection_is_dead) {
  asio::io_context loop;
  OneShot server(loop);
  Client client(loop.get_executor());
  EXPECT_EQ(run(loop, fetch(client, get(server.url()))).value(), "ok");
  EXPECT_EQ(run(loop, fetch(client, get(server.url()))).value(), "ok");
  EXPECT_EQ(server.connections, 2);
  auto post = get(server.url());
  post.method = "POST";
  post.body = "once";
  EXPECT_EQ(run(loop, fetch(client, post)).error().code, ErrorCode::unavailable) << "it may have been carried out";
  EXPECT_EQ(run(loop, fetch(client, post)).value(), "ok") << "on a new connection";
  EXPECT_EQ(server.connections, 3);
}

TEST(ClientPool, notices_a_restarted_server) {
  asio::io_context loop;
  std::optional<TestServer> server;
  server.emplace(loop, hello);
  Client client(loop.get_executor());
  const std::string url = server->url("/");
  EXPECT_TRUE(run(loop, fetch(client, get(url))));
  server.reset();
  EXPECT_EQ(run(loop, fetch(client, get(url))).error().code, ErrorCode::unavailable);
}

TEST(ClientTimes, bounds_the_handshake) {
  asio::io_context loop;
  tcp::acceptor silent(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));  // the kernel accepts, nobody answers
  ClientSettings settings;
  settings.connect = 100ms;
  Client client(loop.get_executor(), settings);
  const auto began = Clock::now();
  const auto failed = run(loop, fetch(client, get("https://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/")));
  EXPECT_EQ(failed.error().code, ErrorCode::timeout);
  EXPECT_LT(Clock::now() - began, 5s);
}

TEST(ClientTimes, bounds_the_wait_for_the_answer_and_cancels_the_handler) {
  asio::io_context loop;
  Hanging hanging;
  TestServer server(loop, hanging.handler());
  Client client(loop.get_executor());
  int n = 0;
  for (const bool tls : {true, false}) {
    auto request = get(server.url("/", tls));
    request.deadline = 100ms;
    EXPECT_EQ(run(loop, fetch(client, request)).error().code, ErrorCode::timeout);
    hanging.wait_left(loop, ++n);
  }
}

TEST(ClientTimes, bounds_the_silence_in_an_answer) {
  asio::io_context loop;
  Hanging hanging;
  TestServer server(loop, hanging.handler());
  Client client(loop.get_executor());
  int n = 0;
  for (const bool tls : {true, false}) {
    auto request = get(server.url("/body", tls));
    request.idle = 100ms;
    EXPECT_EQ(run(loop, fetch(client, request)).error().code, ErrorCode::timeout);
    hanging.wait_left(loop, ++n);
  }
}

TEST(ClientCancel, resets_the_stream_and_leaves_the_connection_alone) {
  using namespace asio::experimental::awaitable_operators;
  asio::io_context loop;
  Hanging hanging;
  ServerLimits limits;
  limits.connections = 1;
  TestServer server(
      loop,
      [handler = hanging.handler()](Request& request, Response& response) -> Task<void> {
        return request.path == "/hello" ? hello(request, response) : handler(request, response);
      },
      limits);
  Client client(loop.get_executor());
  run(loop, [](Client& sender, std::string url) -> Task<void> {
    asio::steady_timer timer(co_await asio::this_coro::executor, 100ms);
    const auto first = co_await (fetch(sender, get(url)) || timer.async_wait(asio::use_awaitable));
    EXPECT_EQ(first.index(), 1u);
  }(client, server.url("/hang")));
  hanging.wait_left(loop, 1);
  {
    auto dropped = run(loop, client.send(get(server.url("/body")))).value();
  }
  hanging.wait_left(loop, 2);
  EXPECT_EQ(run(loop, fetch(client, get(server.url("/hello")))).value(), "hello") << "the only connection still works";
}

TEST(ClientBody, comes_from_a_source_as_fast_as_the_server_reads) {
  asio::io_context loop;
  bool may_read = false;
  std::size_t received = 0;
  Signal go(loop.get_executor());
  TestServer server(loop, [&](Request& request, Response& response) -> Task<void> {
    while (!may_read) co_await go.wait();
    for (;;) {
      const auto piece = co_await request.body->read();
      if (!piece) co_return;
      if (piece->empty()) break;
      received += piece->size();
    }
    (void)co_await response.send(200, {}, std::to_string(received));
  });
  Client client(loop.get_executor());
  constexpr std::size_t kTotal = 32 << 20;
  for (const bool tls : {true, false}) {
    may_read = false;
    received = 0;
    auto sent = std::make_shared<std::size_t>(0);
    auto request = get(server.url("/", tls));
    request.method = "PUT";
    if (tls) request.content_length = kTotal;
    request.body_source = [sent]() -> Task<base::Result<std::string>> {
      if (*sent == kTotal) co_return std::string();
      *sent += 64 * 1024;
      co_return std::string(64 * 1024, 'x');
    };
    std::optional<base::Result<std::string>> answer;
    asio::co_spawn(loop, fetch(client, request), [&](std::exception_ptr, base::Result<std::string> result) { answer = std::move(result); });
    loop.restart();
    while (loop.run_one_for(300ms) > 0) {
    }
    EXPECT_LT(*sent, kTotal) << "the source is not asked while nobody reads";
    may_read = true;
    go.notify();
    loop.restart();
    while (!answer && loop.run_one_for(20s) > 0) {
    }
    EXPECT_EQ(answer->value(), std::to_string(kTotal));
  }
}

TEST(ClientBody, breaks_off_when_its_source_fails) {
  asio::io_context loop;
  std::optional<ErrorCode> seen;
  TestServer server(loop, [&](Request& request, Response&) -> Task<void> {
    const auto body = co_await request.body->read_all(1 << 20);
    if (!body) seen = body.error().code;
  });
  Client client(loop.get_executor());
  for (const bool tls : {true, false}) {
    auto request = get(server.url("/", tls));
    request.method = "POST";
    request.body_source = []() -> Task<base::Result<std::string>> { co_return base::fail(ErrorCode::io, "disk gone"); };
    const auto failed = run(loop, fetch(client, request)).error();
    EXPECT_EQ(failed.code, ErrorCode::io);
    EXPECT_EQ(failed.message, "the request's body: disk gone");
  }
}

TEST(ClientBody, stops_when_the_answer_comes_early) {
  asio::io_context loop;
  TestServer server(loop, [](Request&, Response& response) -> Task<void> { (void)co_await response.send(401, {}, "who are you"); });
  Client client(loop.get_executor());
  for (const bool tls : {true, false}) {
    auto request = get(server.url("/", tls));
    request.method = "POST";
    request.body_source = []() -> Task<base::Result<std::string>> { co_return std::string(64 * 1024, 'x'); };  // endless
    auto response = run(loop, client.send(request)).value();
    EXPECT_EQ(response.status(), 401);
    EXPECT_EQ(run(loop, response.read_all(100)).value(), "who are you");
  }
}

TEST(ClientLimits, bound_headers_and_bodies_of_answers) {
  asio::io_context loop;
  TestServer server(loop, [](Request& request, Response& response) -> Task<void> {
    (void)co_await response.send(200, Headers().with("x", std::string(request.path == "/header" ? 20'000 : 1, 'x')),
                                 std::string(1001, 'x'));
  });
  ClientSettings settings;
  settings.header_bytes = 10'000;
  Client client(loop.get_executor(), settings);
  for (const bool tls : {true, false}) {
    EXPECT_EQ(run(loop, client.send(get(server.url("/header", tls)))).error().code, ErrorCode::too_large);
    auto response = run(loop, client.send(get(server.url("/", tls)))).value();
    EXPECT_EQ(run(loop, response.read_all(1000)).error().code, ErrorCode::too_large);
  }
}

TEST(ClientRequests, that_cannot_be_sent_are_invalid) {
  asio::io_context loop;
  Client client(loop.get_executor());
  EXPECT_EQ(run(loop, client.send(get("nonsense"))).error().code, ErrorCode::invalid);
  auto split = get("http://127.0.0.1:1/");
  split.headers.add("x", "a\r\nb: c");
  EXPECT_EQ(run(loop, client.send(split)).error().code, ErrorCode::invalid);
  auto method = get("http://127.0.0.1:1/");
  method.method = "GET / HTTP/1.1\r\n";
  EXPECT_EQ(run(loop, client.send(method)).error().code, ErrorCode::invalid);
}

TEST(ClientRequests, to_nobody_are_unavailable) {
  asio::io_context loop;
  tcp::acceptor taken(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto port = taken.local_endpoint().port();
  taken.close();
  Client client(loop.get_executor());
  EXPECT_EQ(run(loop, client.send(get("http://127.0.0.1:" + std::to_string(port) + "/"))).error().code, ErrorCode::unavailable);
  EXPECT_EQ(run(loop, client.send(get("http://no-such-host.invalid/"))).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace kinora::net
