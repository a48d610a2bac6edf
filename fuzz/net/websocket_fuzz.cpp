// The parser must say the same whatever the pieces are, and never hold more than its limit. What we write for a message is a frame that,
// once masked as a client's, is read as that message.
#include <cstdint>

#include "base/check.hpp"
#include "net/websocket_frame.hpp"

namespace {

constexpr std::size_t kMax = 1 << 12;

std::string parse(std::string_view bytes, std::size_t piece) {
  kinora::net::WsParser parser(kMax);
  std::string seen;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    const auto messages = parser.feed(bytes.substr(0, piece));
    if (!messages) return "failed " + std::to_string(static_cast<int>(messages.error().code));
    for (const auto& message : *messages) {
      KINORA_CHECK(message.data.size() <= kMax);
      seen += std::to_string(static_cast<int>(message.kind)) + "|" + std::to_string(message.code) + "|" + message.data + "\x1e";
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  KINORA_CHECK(parse(bytes, SIZE_MAX) == parse(bytes, 1));
  if (size <= kMax) {
    std::string frame = ws_frame(WsKind::binary, bytes);
    frame[1] = static_cast<char>(frame[1] | 0x80);
    frame.insert(frame.size() - size, 4, '\0');  // a mask that changes nothing
    WsParser parser(kMax);
    const auto read = parser.feed(frame);
    KINORA_CHECK(read && read->size() == 1 && read->front().data == bytes);
  }
  return 0;
}
