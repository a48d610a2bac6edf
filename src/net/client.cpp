#include "net/client.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "net/client_pool.hpp"
#include "net/http1_head.hpp"
#include "net/server_stream.hpp"

namespace kinora::net {
namespace {

namespace asio = boost::asio;
using base::ErrorCode;
using base::fail;

bool repeatable(const std::string& method) {  // RFC 9110 9.2.2: once or twice is the same
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

base::Result<MessageHead> make_head(const ClientRequest& request, const Url& url) {
  MessageHead head;
  head.method = request.method;
  head.target = url.target;
  head.scheme = url.scheme;
  if (!is_field_name(request.method)) return fail(ErrorCode::invalid, "not a method: " + request.method);
  const bool usual_port = url.port == (url.tls() ? 443 : 80);
  std::string host = url.authority();
  if (usual_port) host.resize(host.rfind(':'));
  head.headers.add("host", request.headers.contains("host") ? std::string(*request.headers.get("host")) : host);
  for (const auto& [name, value] : request.headers) {
    if (!is_field_name(name) || !is_field_value(value)) return fail(ErrorCode::invalid, "a header field that must not be sent: " + name);
    if (name != "host" && name != "content-length") head.headers.add(name, value);
  }
  if (request.body_source) {
    head.content_length = request.content_length;
  } else if (!request.body.empty()) {
    head.content_length = request.body.size();
  }
  return head;
}

}  // namespace

// An answer under way, and the rest of its request.
class ClientResponse::Stream {
 public:
  Stream(std::shared_ptr<Client::Pool> pool, std::shared_ptr<ClientConnection> connection, std::shared_ptr<ClientExchange> exchange,
         std::chrono::milliseconds idle)
      : pool_(std::move(pool)), connection_(std::move(connection)), exchange_(std::move(exchange)), idle_(idle) {}
  ~Stream() {
    if (pump_) pump_->cancel();
    if (!exchange_->closed) connection_->engine().abort(*exchange_, {ErrorCode::canceled, "the request was given up"});
    pool_->changed(connection_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void send_body(BodySource source) { pump_ = pool_->tasks().spawn(pump(connection_, exchange_, std::move(source))); }

  // Until the response's head is there.
  Task<base::Status> head(Clock::time_point deadline) {
    while (!exchange_->response) {
      if (exchange_->gone) co_return fail(*exchange_->gone);
      if (Clock::now() >= deadline) co_return fail(ErrorCode::timeout, "no answer in time");
      co_await exchange_->changed.wait(deadline);
    }
    co_return base::Status();
  }

  Task<base::Result<std::string>> read() {
    const auto ready = [this] { return !exchange_->in.empty() || exchange_->in_end || exchange_->in_error; };
    const bool moved = co_await wait_while_moving(exchange_->changed, idle_, ready, [this] { return exchange_->in_total; });
    if (!moved) {
      connection_->engine().abort(*exchange_, {ErrorCode::timeout, "the rest of the answer did not come"});
      connection_->wake();
    }
    if (!exchange_->in.empty()) {
      std::string piece = exchange_->in.pop(kMaxQueuedBytes);
      connection_->engine().consumed(*exchange_, piece.size());
      connection_->wake();
      co_return piece;
    }
    if (exchange_->in_end) co_return std::string();
    co_return fail(*exchange_->in_error);
  }

  const ClientExchange& exchange() const { return *exchange_; }
  const std::string& peer_pin() const { return connection_->peer_pin(); }

 private:
  // Static, with all it needs: it may end a turn after the Stream.
  static Task<void> pump(std::shared_ptr<ClientConnection> connection, std::shared_ptr<ClientExchange> exchange, BodySource source) {
    while (!exchange->closed) {
      auto piece = co_await source();
      if (exchange->closed) co_return;
      if (!piece) {
        connection->engine().abort(*exchange, piece.error().within("the request's body"));
        connection->wake();
        co_return;
      }
      exchange->out_end = piece->empty();
      exchange->out.push(std::move(*piece));
      connection->engine().out_changed(*exchange);
      connection->wake();
      if (exchange->out_end) co_return;
      while (exchange->out.size() > kMaxQueuedBytes && !exchange->closed) co_await exchange->changed.wait();
    }
  }

  std::shared_ptr<Client::Pool> pool_;
  std::shared_ptr<ClientConnection> connection_;
  std::shared_ptr<ClientExchange> exchange_;
  std::chrono::milliseconds idle_;
  std::shared_ptr<TaskGroup::Member> pump_;
};

ClientResponse::ClientResponse(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
ClientResponse::ClientResponse(ClientResponse&&) noexcept = default;
ClientResponse& ClientResponse::operator=(ClientResponse&&) noexcept = default;
ClientResponse::~ClientResponse() = default;
int ClientResponse::status() const { return stream_->exchange().response->status; }
const Headers& ClientResponse::headers() const { return stream_->exchange().response->headers; }
const Headers& ClientResponse::trailers() const { return stream_->exchange().in_trailers; }
const std::string& ClientResponse::peer_pin() const { return stream_->peer_pin(); }
Task<base::Result<std::string>> ClientResponse::read() { return stream_->read(); }

Task<base::Result<std::string>> ClientResponse::read_all(std::size_t max_bytes) {
  std::string all;
  for (;;) {
    KINORA_CO_TRY(std::string piece, co_await read());
    if (piece.empty()) co_return all;
    if (piece.size() > max_bytes - all.size()) {
      co_return fail(ErrorCode::too_large, "the answer is larger than " + std::to_string(max_bytes) + " bytes");
    }
    all += piece;
  }
}

Client::Client(asio::any_io_executor executor, ClientSettings settings) : pool_(std::make_shared<Pool>(std::move(executor), settings)) {}
Client::~Client() { pool_->close(); }
void Client::close() { pool_->close(); }

Task<base::Result<ClientResponse>> Client::send(ClientRequest request) {
  const auto pool = pool_;
  KINORA_CO_TRY(const Url url, parse_url(request.url));
  if (request.trust.mode == TlsTrust::Mode::pinned && !is_pin(request.trust.pin)) co_return fail(ErrorCode::invalid, "not a key pin");
  if (request.trust.mode == TlsTrust::Mode::pinned && !url.tls()) co_return fail(ErrorCode::invalid, "a key pin needs an https URL");
  KINORA_CO_TRY(const MessageHead head, make_head(request, url));
  const auto deadline = Clock::now() + request.deadline;
  const bool has_body = request.body_source || !request.body.empty();
  for (bool fresh = false;; fresh = true) {
    KINORA_CO_TRY(const auto connection, co_await pool->acquire(url, request.trust, request.reach, fresh, deadline));
    const bool pooled = connection->used;
    const auto exchange = connection->submit(head, request.body, static_cast<bool>(request.body_source));
    auto stream = std::make_unique<ClientResponse::Stream>(pool, connection, exchange, request.idle);
    if (request.body_source) {
      // The source is asked only once the head is out, so a dead connection leaves the body unbegun.
      while (!exchange->out_began && !exchange->closed && Clock::now() < deadline) co_await exchange->changed.wait(deadline);
      if (exchange->out_began && !exchange->closed) stream->send_body(request.body_source);
    }
    const auto answered = co_await stream->head(deadline);
    if (answered) co_return ClientResponse(std::move(stream));
    const bool untouched = exchange->refused || !exchange->out_began;
    const bool again = !has_body ? untouched || repeatable(request.method) : untouched;
    if (fresh || !exchange->gone || !again || !(pooled || exchange->refused)) {
      // The caller asked for an answer: that a stream was reset means that the server is not able to give one.
      co_return fail(answered.error());
    }
  }
}

}  // namespace kinora::net
