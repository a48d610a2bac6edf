// A worker's event: parsed, ignored or refused; what was accepted says the same again when written.
#include <cstdint>

#include "base/check.hpp"
#include "tasks/event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto event = kinora::tasks::parse_event({reinterpret_cast<const char*>(data), size});
  if (!event || !*event) return 0;
  const auto text = kinora::tasks::json::serialize(kinora::tasks::to_json(**event));
  const auto again = kinora::tasks::parse_event(text);
  KINORA_CHECK(again && *again && kinora::tasks::json::serialize(kinora::tasks::to_json(**again)) == text);
  return 0;
}
