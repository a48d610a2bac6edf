// Any protobuf bytes behind valid base64, and any text: parsed headers keep the stated limits and survive being written.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "wire/segment_header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  (void)wire::parse_segment_header(base::as_text({data, size}));
  const auto header = wire::parse_segment_header(base::to_base64({data, size}));
  if (!header) return 0;
  KINORA_CHECK(header->profiles.size() <= wire::kMaxRenditions);
  KINORA_CHECK(header->duration.count() > 0 && header->duration <= wire::kMaxSegmentDuration);
  auto again = header->message;
  wire::set_profiles(again, header->profiles);
  const auto text = wire::format_segment_header(again);
  if (text.size() > wire::kMaxSegmentHeaderBytes) return 0;
  const auto parsed = wire::parse_segment_header(text);
  KINORA_CHECK(parsed && parsed->profiles == header->profiles);
  return 0;
}
