// The Range header: a range that is accepted lies inside the content.
#include <cstdint>

#include "base/check.hpp"
#include "net/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const std::uint64_t content : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, UINT64_MAX}) {
    const auto range = kinora::net::parse_range(bytes, content);
    if (range && *range) KINORA_CHECK((*range)->first <= (*range)->last && (*range)->last < content);
  }
  return 0;
}
