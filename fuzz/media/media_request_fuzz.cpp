// kinora-media's request, for each operation: any bytes end in a request within its limits or in an error with a text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "media/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::media;
  if (size == 0) return 0;
  // The first byte chooses the operation.
  const auto operation = static_cast<Operation>(data[0] % 15);
  const auto request = parse_request(operation, {reinterpret_cast<const char*>(data + 1), size - 1});
  if (!request) {
    if (request.error().message.empty()) std::abort();
    return 0;
  }
  if (request->limits.max_pixels > kMaxPixels || request->limits.max_streams > kMaxStreams) std::abort();
  if (request->transcode.renditions.size() > static_cast<std::size_t>(kMaxRenditions)) std::abort();
  if (!request->output_dir.empty() && request->output_dir.front() != '/') std::abort();
  return 0;
}
