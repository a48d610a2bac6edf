// The headers of tus: whatever a client sends is refused or read; what is read keeps to the limits.
#include <cstdint>

#include "base/check.hpp"
#include "gateway/tus_headers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::gateway;
  constexpr std::string_view prefix = "/v1/media/uploads/tus/";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto number = parse_tus_number(text)) KINORA_CHECK(*number >= 0);
  (void)parse_tus_metadata(text);
  if (const auto checksum = parse_tus_checksum(text)) KINORA_CHECK(checksum->digest.size() == (checksum->sha1 ? 20u : 32u));
  if (const auto concat = parse_tus_concat(text, prefix))
    KINORA_CHECK(concat->partial ? concat->uploads.empty() : !concat->uploads.empty() && concat->uploads.size() <= kMaxTusPartials);
  // Lines "name: value" as the headers of a creation.
  kinora::net::Headers headers;
  for (std::string_view rest = text; !rest.empty() && headers.size() < 16;) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos) headers.add(line.substr(0, colon), std::string(line.substr(colon + 2)));
  }
  if (const auto creation = parse_tus_creation(headers, 1000, prefix)) KINORA_CHECK(creation->length.value_or(0) <= 1000);
  return 0;
}
