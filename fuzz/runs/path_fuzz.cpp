// A path: refused, or the same again when written.
#include <cstdint>

#include "base/check.hpp"
#include "runs/path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::runs;
  const auto path = parse_path({reinterpret_cast<const char*>(data), size});
  if (!path) return 0;
  const auto again = parse_path(to_string(*path));
  KINORA_CHECK(again && *again == *path);
  return 0;
}
