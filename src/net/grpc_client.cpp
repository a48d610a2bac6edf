#include <charconv>

#include "net/grpc.hpp"
#include "net/grpc_text.hpp"

namespace kinora::net {
namespace {

using base::ErrorCode;
using base::fail;

// Errors as the server states them: in the trailers, or in the headers of an answer without body.
base::Status status_of(const ClientResponse& response) {
  auto code_text = response.trailers().get("grpc-status");
  auto message = response.trailers().get("grpc-message");
  if (!code_text) {
    code_text = response.headers().get("grpc-status");
    message = response.headers().get("grpc-message");
  }
  if (!code_text) return fail(ErrorCode::unavailable, "the call ended without a grpc-status");
  int code = -1;
  std::from_chars(code_text->data(), code_text->data() + code_text->size(), code);
  if (code == 0) return {};
  return fail(error_code_of(code), message ? decode_grpc_message(*message) : "the server answered grpc-status " + std::string(*code_text));
}

}  // namespace

Task<base::Result<GrpcAnswer>> grpc_call(Client& client, std::string base_url, std::string path, std::string message, TlsTrust trust,
                                         std::chrono::milliseconds timeout) {
  while (base_url.ends_with('/')) base_url.pop_back();
  if (!base_url.starts_with("https://")) co_return fail(ErrorCode::unsupported, "gRPC needs an https URL");
  ClientRequest request;
  request.method = "POST";
  request.url = base_url + path;
  request.headers = {{"content-type", "application/grpc"}, {"te", "trailers"}, {"grpc-timeout", format_grpc_timeout(timeout)}};
  request.body = frame_grpc_message(message);
  request.trust = std::move(trust);
  request.deadline = timeout;
  request.idle = timeout;
  KINORA_CO_TRY(ClientResponse response, co_await client.send(std::move(request)));
  const auto type = response.headers().get("content-type").value_or("");
  if (response.status() != 200 || !type.starts_with("application/grpc")) {
    const auto code = response.status() == 200 ? ErrorCode::unavailable : error_code_of_http(response.status());
    co_return fail(code, "not a gRPC answer: HTTP status " + std::to_string(response.status()));
  }
  GrpcDeframer deframer;
  for (;;) {
    KINORA_CO_TRY(const std::string piece, co_await response.read());
    if (piece.empty()) break;
    KINORA_CO_OK(deframer.feed(piece));
  }
  KINORA_CO_OK(status_of(response));
  auto answer = deframer.next();
  if (!answer || deframer.mid_message()) co_return fail(ErrorCode::unavailable, "the answer is not exactly one message");
  co_return GrpcAnswer{std::move(*answer), response.peer_pin()};
}

}  // namespace kinora::net
