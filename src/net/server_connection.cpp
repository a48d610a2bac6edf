#include "net/server_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "net/http1_server.hpp"
#include "net/http2_server.hpp"
#include "net/request_target.hpp"

namespace kinora::net {
namespace {

namespace asio = boost::asio;
using base::ErrorCode;

constexpr char kTlsHandshake = 0x16;  // RFC 8446 5.1: the first byte of a ClientHello record
constexpr std::string_view kSpeakTls =
    "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 22\r\nconnection: close\r\n\r\nThis port speaks TLS.\n";

int status_for(const std::optional<base::Error>& body_error) {
  if (!body_error) return 500;
  switch (body_error->code) {
    case ErrorCode::too_large: return 413;
    case ErrorCode::timeout: return 408;
    case ErrorCode::invalid: return 400;
    default: return 500;
  }
}

}  // namespace

ServerConnection::ServerConnection(std::shared_ptr<const ServerSetup> setup)
    : setup_(std::move(setup)), handlers_(setup_->executor), stopped_(setup_->executor) {}

Task<void> ServerConnection::run(asio::ip::tcp::socket socket) {
  using namespace asio::experimental::awaitable_operators;
  const auto self = shared_from_this();
  std::exception_ptr failure;
  try {
    auto transport = co_await prepare(std::move(socket));
    if (!transport) co_return;
    const bool http2 = transport->chose_http2();
    connection_.emplace(std::move(*transport), make_engine(http2));
    connection_->after_feed = [this] { note_head(); };
    if (stopping_) connection_->engine().shut_down();
    co_await (connection_->run() || watch());
  } catch (...) {
    failure = std::current_exception();
  }
  // From here on nothing may stop us: handlers refer to this object.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (connection_) {
    connection_->engine().connection_lost({ErrorCode::unavailable, "the connection was closed"});
    connection_->close();
  }
  handlers_.cancel();
  co_await handlers_.wait();
  if (failure) std::rethrow_exception(failure);
}

void ServerConnection::shut_down() {
  stopping_ = true;
  if (!connection_) return;
  connection_->engine().shut_down();
  connection_->wake();
}

Task<std::optional<Transport>> ServerConnection::prepare(asio::ip::tcp::socket socket) {
  boost::system::error_code failed;
  const auto remote = socket.remote_endpoint(failed);
  if (failed) co_return std::nullopt;
  auto address = remote.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  peer_ = {address.to_string(), address.is_loopback(), false, 11};

  Transport transport(std::move(socket));
  const Timeout limit(setup_->executor, accepted_ + setup_->settings.limits.handshake, [&] { transport.close(); });
  char first = 0;
  co_await transport.socket().async_receive(asio::buffer(&first, 1), asio::socket_base::message_peek,
                                            asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return std::nullopt;
  if (first == kTlsHandshake && setup_->tls) {
    peer_.tls = true;
    transport.secure(setup_->tls);
    if (co_await transport.accept_handshake()) co_return std::nullopt;
    co_return std::optional<Transport>(std::move(transport));
  }
  const bool plain_allowed =
      first != kTlsHandshake && (setup_->settings.plain_from_anyone || (setup_->settings.plain_on_loopback && peer_.loopback));
  if (plain_allowed) co_return std::optional<Transport>(std::move(transport));
  if (first != kTlsHandshake) {
    co_await transport.write(kSpeakTls, failed);
    co_await transport.finish();
  }
  co_return std::nullopt;
}

std::unique_ptr<Engine> ServerConnection::make_engine(bool http2) {
  const auto& limits = setup_->settings.limits;
  const EngineLimits engine_limits{limits.header_bytes, limits.header_count, limits.body_bytes, limits.h2_streams,
                                   limits.h2_resets_per_minute};
  auto accept = [this](MessageHead head) -> std::shared_ptr<Exchange> {
    auto exchange = std::make_shared<ServerExchange>(setup_->executor, std::move(head));
    exchange->handler = handlers_.spawn(serve(exchange));
    return exchange;
  };
  if (http2) return make_http2_server(engine_limits, std::move(accept));
  return make_http1_server(engine_limits, std::move(accept));
}

Task<void> ServerConnection::serve(std::shared_ptr<ServerExchange> exchange) {
  const auto idle = setup_->settings.limits.idle;
  ServerResponse response(*connection_, *exchange, idle);
  co_await handle(*exchange, response);
  auto& engine = connection_->engine();
  if (!response.started()) {
    const int status = status_for(exchange->in_error);
    (void)co_await response.send(status, Headers().with("content-type", "text/plain"), std::string(reason_phrase(status)) + "\n");
  }
  if (!response.finished()) {
    engine.abort(*exchange, {ErrorCode::internal, "the response was not finished"});
  } else {
    // What was written is on its way; a peer that no longer takes it must not hold the exchange for ever.
    const bool moved =
        co_await wait_while_moving(exchange->changed, idle, [&] { return exchange->closed; }, [&] { return exchange->out.size(); });
    if (!moved) engine.abort(*exchange, {ErrorCode::timeout, "the peer does not read"});
  }
  connection_->wake();
}

Task<void> ServerConnection::handle(ServerExchange& exchange, ServerResponse& response) {
  Request request = make_request(exchange.head, peer_);
  ServerBody body(*connection_, exchange, setup_->settings.limits.idle);
  request.body = &body;
  try {
    co_await setup_->handler(request, response);
  } catch (const std::exception& error) {
    if (exchange.gone) throw;  // cancelled; nobody waits for an answer
    base::log::error("net", "a handler failed", {{"path", request.path}, {"error", error.what()}});
  }
}

// Keeps the time since which an unfinished head waits.
void ServerConnection::note_head() {
  if (!static_cast<ServerEngine&>(connection_->engine()).head_pending()) {
    head_began_.reset();
  } else if (!head_began_) {
    head_began_ = Clock::now();
  }
}

Clock::time_point ServerConnection::deadline() const {
  const auto& limits = setup_->settings.limits;
  const auto& engine = const_cast<Connection&>(*connection_).engine();
  if (!static_cast<const ServerEngine&>(engine).saw_request()) return accepted_ + limits.handshake;
  if (head_began_) return *head_began_ + limits.handshake;
  if (handlers_.size() == 0 || connection_->writing()) return connection_->last_progress() + limits.idle;
  return Clock::time_point::max();
}

Task<void> ServerConnection::watch() {
  const auto& limits = setup_->settings.limits;
  constexpr std::chrono::seconds goodbye{2};
  for (;;) {
    const auto now = Clock::now();
    note_head();  // also what was read ahead of an answer
    const auto until = deadline();
    if (until <= now) break;
    // Not longer than the shortest limit: what has begun meanwhile has a deadline of its own.
    co_await stopped_.wait(std::min(until, now + std::min(limits.handshake, limits.idle)));
  }
  connection_->engine().shut_down();
  connection_->wake();
  for (const auto end = Clock::now() + goodbye; Clock::now() < end;) co_await stopped_.wait(end);
}

}  // namespace kinora::net
