// gRPC framing and the text of its headers.
#include <cstdint>

#include "base/check.hpp"
#include "net/grpc.hpp"
#include "net/grpc_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  GrpcDeframer deframer(1 << 16);
  const std::size_t piece = size > 0 ? data[0] + 1u : 1u;
  std::string again;
  for (std::size_t at = 0; at < size; at += piece) {
    if (!deframer.feed(bytes.substr(at, piece))) break;
    while (const auto message = deframer.next()) again += frame_grpc_message(*message);
  }
  KINORA_CHECK(bytes.starts_with(again));  // what was cut out, framed again, is what came
  (void)parse_grpc_timeout(bytes);
  (void)decode_grpc_message(bytes);
  KINORA_CHECK(decode_grpc_message(encode_grpc_message(bytes)) == bytes);
  return 0;
}
