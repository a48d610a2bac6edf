#include "net/client_connection.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/http1_client.hpp"
#include "net/http2_client.hpp"

namespace kinora::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxAnswerFields = 256;

std::unique_ptr<Engine> make_engine(bool http2, const ClientSettings& settings) {
  EngineLimits limits;
  limits.header_bytes = settings.header_bytes;
  limits.header_count = kMaxAnswerFields;
  if (http2) return make_http2_client(limits);
  return make_http1_client(limits);
}

// Where to connect to: looked up once, so that what was judged is what is connected to.
Task<base::Result<std::vector<tcp::endpoint>>> endpoints_of(const Destination& to) {
  Addresses addresses;
  Transport::Error not_literal;
  const auto literal = asio::ip::make_address(to.url.host, not_literal);
  if (not_literal) {
    KINORA_CO_TRY(addresses, co_await to.resolver(to.url.host));
  } else {
    addresses.push_back(literal);
  }
  std::vector<tcp::endpoint> out;
  for (const auto& address : addresses)
    if (to.reach == Reach::anywhere || is_public(address)) out.emplace_back(address, to.url.port);
  if (out.empty()) co_return fail(ErrorCode::forbidden, to.url.host + " has no address on the public internet");
  co_return out;
}

}  // namespace

ClientConnection::ClientConnection(Transport transport, const ClientSettings& settings)
    : peer_pin_(transport.peer_pin()), connection_([&] {
        const bool http2 = transport.chose_http2();
        return Connection(std::move(transport), make_engine(http2, settings));
      }()) {}

Task<void> ClientConnection::run() {
  const auto self = shared_from_this();
  struct End {
    ~End() { self.ended_ = true; }
    ClientConnection& self;
  };
  const End end{*this};
  co_await connection_.run();
}

std::shared_ptr<ClientExchange> ClientConnection::submit(MessageHead head, std::string body, bool more_body) {
  auto exchange = std::make_shared<ClientExchange>(connection_.transport().socket().get_executor());
  exchange->out.push(std::move(body));
  exchange->out_end = !more_body;
  used = true;
  engine().submit(exchange, std::move(head));
  wake();
  return exchange;
}

void ClientConnection::shut_down() {
  engine().shut_down();
  wake();
}

Task<base::Result<Transport>> dial(asio::any_io_executor executor, Destination to, std::shared_ptr<asio::ssl::context> context,
                                   Clock::time_point deadline) {
  const Url& url = to.url;
  const TlsTrust& trust = to.trust;
  const std::string where = url.authority();
  Transport::Error failed;
  KINORA_CO_TRY(const auto endpoints, co_await endpoints_of(to));

  Transport transport{tcp::socket(executor)};
  const Timeout limit(executor, deadline, [&] { transport.close(); });
  co_await asio::async_connect(transport.socket(), endpoints, asio::redirect_error(asio::use_awaitable, failed));
  if (limit.fired() || Clock::now() >= deadline) co_return fail(ErrorCode::timeout, "no connection to " + where + " in time");
  if (failed) co_return fail(ErrorCode::unavailable, "cannot connect to " + where + ": " + failed.message());
  transport.socket().set_option(tcp::no_delay(true), failed);
  if (!url.tls()) co_return std::move(transport);

  transport.secure(std::move(context));
  failed = co_await transport.connect_handshake(url.host, trust.mode == TlsTrust::Mode::system);
  if (limit.fired()) co_return fail(ErrorCode::timeout, "no TLS handshake with " + where + " in time");
  if (failed) {
    const bool distrust = transport.verification_failed();
    co_return fail(distrust ? ErrorCode::unauthenticated : ErrorCode::unavailable,
                   (distrust ? where + " is not who it should be: " : "no TLS with " + where + ": ") + failed.message());
  }
  // The same check once more on the finished connection, whatever path the handshake took.
  if (trust.mode == TlsTrust::Mode::pinned && transport.peer_pin() != trust.pin) {
    co_return fail(ErrorCode::unauthenticated, where + " shows another key than " + trust.pin);
  }
  co_return std::move(transport);
}

}  // namespace kinora::net
