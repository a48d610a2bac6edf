// URLs, request targets, queries.
#include <cstdint>

#include "base/check.hpp"
#include "net/request_target.hpp"
#include "net/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto url = parse_url(bytes)) {
    KINORA_CHECK(url->port != 0 && !url->host.empty() && url->target.starts_with('/'));
    KINORA_CHECK(url->target.find_first_of(" \r\n") == std::string::npos);
  }
  if (const auto target = parse_target(bytes); target && target->path != "*") {
    const std::string path = target->path + "/";
    KINORA_CHECK(path.starts_with('/') && path.find("/../") == std::string::npos && path.find("/./") == std::string::npos);
    KINORA_CHECK(target->path.find("//") == std::string::npos && path.find('\0') == std::string::npos);
  }
  (void)parse_query(bytes);
  KINORA_CHECK(percent_decode(percent_encode(bytes)) == bytes);
  return 0;
}
