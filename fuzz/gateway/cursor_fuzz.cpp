// Cursors: whatever a client sends is refused or read; what is read is written again as the same text.
#include <cstdlib>

#include "gateway/cursor.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  static const base::Bytes key(32, 7);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto cursor = gateway::decode_cursor(key, text); cursor && gateway::encode_cursor(key, *cursor) != text) std::abort();
  // The payload behind a good signature, which plain mutation never reaches.
  const auto digest = base::hmac_sha256(key, base::ByteView(data, size));
  const std::string sealed = base::to_base64url({data, size}) + "." + base::to_base64url(base::ByteView(digest).first(16));
  (void)gateway::decode_cursor(key, sealed);
  return 0;
}
