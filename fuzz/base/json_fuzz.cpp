// What parses must survive canonical text and back, whatever the bytes.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = kinora::base::parse_json(kinora::base::as_text({data, size}), {.bytes = 1 << 16, .depth = 16});
  if (!value) return 0;
  const std::string text = kinora::base::canonical_json(*value);
  const auto again = kinora::base::parse_json(text, {.bytes = 1 << 22, .depth = 16});
  KINORA_CHECK(again && kinora::base::canonical_json(*again) == text);
  return 0;
}
