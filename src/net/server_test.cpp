// The server and the client against each other over loopback; peers that are not ours are in tests/interop.
#include "net/server.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/sync.hpp"
#include "net/testing.hpp"

namespace kinora::net {
namespace {

using namespace std::chrono_literals;
using testing::run;
using testing::TestServer;
using testing::trust;

Task<void> echo(Request& request, Response& response) {
  const auto body = co_await request.body->read_all(64 << 20);
  if (!body) co_return;
  (void)co_await response.send(200,
                               {{"content-type", "text/plain"},
                                {"x-method", request.method},
                                {"x-path", request.path},
                                {"x-version", std::to_string(request.peer.http_version)},
                                {"x-tls", request.peer.tls ? "yes" : "no"}},
                               *body);
}

Task<base::Result<std::string>> post(Client& client, std::string url, std::string body, TlsTrust with = trust()) {
  ClientRequest request;
  request.method = "POST";
  request.url = std::move(url);
  request.body = std::move(body);
  request.trust = std::move(with);
  KINORA_CO_TRY(ClientResponse response, co_await client.send(std::move(request)));
  if (response.status() != 200) co_return base::fail(base::ErrorCode::invalid, std::to_string(response.status()));
  KINORA_CO_TRY(std::string text, co_await response.read_all(64 << 20));
  co_return std::string(response.headers().get("x-version").value_or("?")) + ":" + text;
}

TEST(Server, answers_http2_over_tls_and_http1_in_plain_text_on_one_port) {
  boost::asio::io_context loop;
  TestServer server(loop, echo);
  Client client(loop.get_executor());
  EXPECT_EQ(run(loop, post(client, server.url("/a"), "hello")).value(), "20:hello");
  EXPECT_EQ(run(loop, post(client, server.url("/a", false), "hello", {})).value(), "11:hello");
}

TEST(Server, echoes_bodies_larger_than_every_window) {
  boost::asio::io_context loop;
  TestServer server(loop, echo);
  Client client(loop.get_executor());
  std::string big(20 << 20, 'x');
  for (std::size_t i = 0; i < big.size(); i += 1000) big[i] = static_cast<char>('a' + i / 1000 % 26);
  EXPECT_EQ(run(loop, post(client, server.url("/"), big)).value(), "20:" + big);
  EXPECT_EQ(run(loop, post(client, server.url("/", false), big, {})).value(), "11:" + big);
}

}  // namespace
}  // namespace kinora::net
