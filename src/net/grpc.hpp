#pragma once
// gRPC over our HTTP/2 server and client: length-prefixed messages, status in trailers (github.com/grpc/grpc
// doc/PROTOCOL-HTTP2.md). Messages are bytes here; protobuf stays in the caller. No compression.
#include <functional>
#include <map>
#include <string>

#include "net/client.hpp"
#include "net/server.hpp"

namespace kinora::net {

enum class GrpcCode {
  ok = 0,
  canceled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  permission_denied = 7,
  resource_exhausted = 8,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  unauthenticated = 16
};

struct GrpcStatus {
  GrpcCode code = GrpcCode::ok;
  std::string message;
};

inline constexpr std::size_t kMaxGrpcMessageBytes = 4 * 1024 * 1024;

// Adds the 5-byte prefix (flag 0, big-endian length).
std::string frame_grpc_message(std::string_view message);
// Cuts messages out of a byte stream. Errors: unsupported (compressed flag), too_large.
class GrpcDeframer {
 public:
  explicit GrpcDeframer(std::size_t max_message_bytes = kMaxGrpcMessageBytes);
  base::Status feed(std::string_view bytes);
  std::optional<std::string> next();
  bool mid_message() const;  // bytes of an unfinished message are waiting

 private:
  std::string buffer_;
  std::size_t max_;
};

using GrpcReply = tl::expected<std::string, GrpcStatus>;
using GrpcUnary = std::function<Task<GrpcReply>(std::string message, const Request& request)>;

// Serves unary methods; is_grpc() tells which requests to hand to handle(). grpc-timeout is honoured (the method is
// cancelled and answered with deadline_exceeded), unknown methods get unimplemented.
class GrpcService {
 public:
  void unary(std::string path, GrpcUnary method);
  static bool is_grpc(const Request& request);
  Task<void> handle(Request& request, Response& response) const;

 private:
  std::map<std::string, GrpcUnary, std::less<>> methods_;
};

struct GrpcAnswer {
  std::string message;
  std::string peer_pin;
};
// One unary call to base_url + path. The Error's message is the server's grpc-message when there is one.
Task<base::Result<GrpcAnswer>> grpc_call(Client& client, std::string base_url, std::string path, std::string message, TlsTrust trust,
                                         std::chrono::milliseconds timeout);

}  // namespace kinora::net
