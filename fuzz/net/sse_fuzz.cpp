// The parser must say the same whatever the pieces are.
#include <cstdint>

#include "base/check.hpp"
#include "net/sse.hpp"

namespace {

std::string parse(std::string_view bytes, std::size_t piece) {
  kinora::net::SseParser parser(1 << 20);
  std::string seen;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    const auto events = parser.feed(bytes.substr(0, piece));
    if (!events) return "failed";
    for (const auto& event : *events) seen += event.id + "|" + event.type + "|" + event.data + "\x1e";
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  KINORA_CHECK(parse(bytes, SIZE_MAX) == parse(bytes, 1));
  return 0;
}
