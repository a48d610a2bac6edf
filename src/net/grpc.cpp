#include "net/grpc.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "net/grpc_text.hpp"

namespace kinora::net {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kPrefixBytes = 5;

// grpc-status and grpc-message. Names as grpc-go announces them, so that a Livepeer gateway sees what it is used to.
Headers trailers_of(const GrpcStatus& status) {
  Headers trailers{{"grpc-status", std::to_string(static_cast<int>(status.code))}};
  if (!status.message.empty()) trailers.add("grpc-message", encode_grpc_message(status.message));
  return trailers;
}

Headers response_headers() {
  return {{"content-type", "application/grpc"},
          {"trailer", "Grpc-Status"},
          {"trailer", "Grpc-Message"},
          {"trailer", "Grpc-Status-Details-Bin"}};
}

// The request's single message.
Task<GrpcReply> read_message(Request& request) {
  GrpcDeframer deframer;
  for (;;) {
    const auto piece = co_await request.body->read();
    if (!piece) co_return tl::unexpected(GrpcStatus{GrpcCode::canceled, piece.error().message});
    if (const auto fed = deframer.feed(*piece); !fed) {
      const auto code = fed.error().code == ErrorCode::unsupported ? GrpcCode::unimplemented : GrpcCode::resource_exhausted;
      co_return tl::unexpected(GrpcStatus{code, fed.error().message});
    }
    if (!piece->empty()) continue;
    auto message = deframer.next();
    if (!message || deframer.mid_message() || deframer.next()) {
      co_return tl::unexpected(GrpcStatus{GrpcCode::internal, "the request is not exactly one message"});
    }
    co_return std::move(*message);
  }
}

}  // namespace

std::string frame_grpc_message(std::string_view message) {
  std::string out(kPrefixBytes, '\0');
  for (std::size_t i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(message.size() >> (24 - 8 * i));
  out += message;
  return out;
}

GrpcDeframer::GrpcDeframer(std::size_t max_message_bytes) : max_(max_message_bytes) {}

base::Status GrpcDeframer::feed(std::string_view bytes) {
  buffer_ += bytes;
  // Every prefix that is here is checked, so that a wrong one is refused before its message has been collected.
  for (std::size_t at = 0; buffer_.size() - at >= kPrefixBytes;) {
    std::size_t size = 0;
    for (std::size_t i = 1; i < kPrefixBytes; ++i) size = size << 8 | static_cast<unsigned char>(buffer_[at + i]);
    if (buffer_[at] == 1) return fail(ErrorCode::unsupported, "compressed messages are not supported");
    if (buffer_[at] != 0) return fail(ErrorCode::invalid, "not a gRPC message");
    if (size > max_)
      return fail(ErrorCode::too_large, "a message of " + std::to_string(size) + " bytes, more than " + std::to_string(max_));
    if (buffer_.size() - at - kPrefixBytes < size) break;
    at += kPrefixBytes + size;
  }
  return {};
}

std::optional<std::string> GrpcDeframer::next() {
  if (buffer_.size() < kPrefixBytes) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) size = size << 8 | static_cast<unsigned char>(buffer_[i]);
  if (buffer_.size() - kPrefixBytes < size) return std::nullopt;
  std::string message = buffer_.substr(kPrefixBytes, size);
  buffer_.erase(0, kPrefixBytes + size);
  return message;
}

bool GrpcDeframer::mid_message() const { return !buffer_.empty(); }

void GrpcService::unary(std::string path, GrpcUnary method) { methods_[std::move(path)] = std::move(method); }

bool GrpcService::is_grpc(const Request& request) {
  return request.peer.http_version == 20 && request.headers.get("content-type").value_or("").starts_with("application/grpc");
}

Task<void> GrpcService::handle(Request& request, Response& response) const {
  using namespace boost::asio::experimental::awaitable_operators;
  GrpcReply reply = tl::unexpected(GrpcStatus{GrpcCode::unimplemented, "unknown method " + request.path});
  const auto method = methods_.find(request.path);
  const auto timeout_text = request.headers.get("grpc-timeout");
  const auto timeout = timeout_text ? parse_grpc_timeout(*timeout_text) : std::nullopt;
  if (request.method != "POST") {
    (void)co_await response.send(405, Headers().with("allow", "POST"), "");
    co_return;
  }
  if (timeout_text && !timeout) {
    reply = tl::unexpected(GrpcStatus{GrpcCode::internal, "malformed grpc-timeout"});
  } else if (method != methods_.end()) {
    const auto call = [&]() -> Task<GrpcReply> {
      auto message = co_await read_message(request);
      if (!message) co_return message;
      co_return co_await method->second(std::move(*message), request);
    };
    if (timeout) {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, *timeout);
      auto first = co_await (call() || timer.async_wait(boost::asio::use_awaitable));
      reply = first.index() == 0 ? std::move(std::get<0>(first))
                                 : GrpcReply(tl::unexpected(GrpcStatus{GrpcCode::deadline_exceeded, "the deadline has passed"}));
    } else {
      reply = co_await call();
    }
  }
  if (!co_await response.start(200, response_headers())) co_return;
  if (reply && !co_await response.write(frame_grpc_message(*reply))) co_return;
  (void)co_await response.finish(trailers_of(reply ? GrpcStatus{} : reply.error()));
}

}  // namespace kinora::net
