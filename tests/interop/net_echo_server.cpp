// A small server for peers that are not ours: curl, nghttp, h2load, a stock Python gRPC client.
//   net_echo_server [--no-plain]   prints {"port": N, "pin": "..."} on stdout, runs until SIGTERM.
// GET /hello, POST /echo, GET /big?bytes=N, GET /events, any path: 404. gRPC: /test.Echo/Echo, /test.Echo/Fail, /test.Echo/Slow.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <cstring>

#include "net/grpc.hpp"
#include "net/router.hpp"
#include "net/sse.hpp"
#include "net/url.hpp"

namespace {

namespace asio = boost::asio;
using namespace kinora;
using net::Request;
using net::Response;
using net::Task;

constexpr std::size_t kPiece = 64 * 1024;

Task<void> hello(Request& request, Response& response) {
  (void)co_await response.send(
      200, net::Headers().with("content-type", "text/plain").with("x-version", std::to_string(request.peer.http_version)), "hello\n");
}

Task<void> echo(Request& request, Response& response) {
  if (!co_await response.start(200, net::Headers().with("content-type", "application/octet-stream"))) co_return;
  for (;;) {
    auto piece = co_await request.body->read();
    if (!piece) co_return;
    if (piece->empty()) break;
    if (!co_await response.write(std::move(*piece))) co_return;
  }
  (void)co_await response.finish(net::Headers().with("x-trailer", "end"));
}

Task<void> big(Request& request, Response& response) {
  const auto query = net::parse_query(request.query).value_or(net::Query{});
  std::size_t left = std::stoull(net::query_value(query, "bytes").value_or("0"));
  if (!co_await response.start(200, net::Headers().with("content-length", std::to_string(left)))) co_return;
  for (; left > 0; left -= std::min(left, kPiece)) {
    if (!co_await response.write(std::string(std::min(left, kPiece), 'k'))) co_return;
  }
  (void)co_await response.finish();
}

Task<void> events(Request&, Response& response) {
  if (!co_await response.start(200, net::Headers().with("content-type", "text/event-stream"))) co_return;
  for (int i = 1; i <= 3; ++i) {
    if (!co_await response.write(net::format_sse(net::SseEvent{"tick", std::to_string(i), std::to_string(i)}))) co_return;
  }
  (void)co_await response.finish();
}

Task<net::GrpcReply> grpc_echo(std::string message, const Request&) { co_return message; }

Task<net::GrpcReply> grpc_fail(std::string, const Request&) {
  co_return tl::unexpected(net::GrpcStatus{net::GrpcCode::not_found, "nothing here: 100% é"});
}

Task<net::GrpcReply> grpc_slow(std::string message, const Request&) {
  asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::use_awaitable);
  co_return message;
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context loop(1);
  net::ServerSettings settings;
  const auto identity = net::generate_identity("127.0.0.1");
  if (!identity) return 1;
  settings.tls = *identity;
  settings.plain_on_loopback = !(argc > 1 && std::strcmp(argv[1], "--no-plain") == 0);

  net::Router router;
  router.add("GET", "/hello", hello);
  router.add("POST", "/echo", echo);
  router.add("GET", "/big", big);
  router.add("GET", "/events", events);
  net::GrpcService grpc;
  grpc.unary("/test.Echo/Echo", grpc_echo);
  grpc.unary("/test.Echo/Fail", grpc_fail);
  grpc.unary("/test.Echo/Slow", grpc_slow);
  net::Server server(loop.get_executor(), settings, [&](Request& request, Response& response) {
    return net::GrpcService::is_grpc(request) ? grpc.handle(request, response) : router.route(request, response);
  });
  if (const auto listening = server.listen(); !listening) {
    std::fprintf(stderr, "%s\n", listening.error().message.c_str());
    return 1;
  }
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code, int) { server.stop(std::chrono::seconds(1)); });
  std::printf("{\"port\": %u, \"pin\": \"%s\"}\n", server.port(), identity->pin.c_str());
  std::fflush(stdout);
  asio::co_spawn(loop, server.run(), [&](std::exception_ptr) { signals.cancel(); });
  loop.run();
  return 0;
}
