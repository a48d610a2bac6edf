// A task order from a stranger: parsed or refused; what was accepted says the same again when written.
#include <cstdint>

#include "base/check.hpp"
#include "tasks/order.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto order = kinora::tasks::parse_order({reinterpret_cast<const char*>(data), size});
  if (!order) return 0;
  const auto text = kinora::tasks::json::serialize(kinora::tasks::to_json(*order));
  const auto again = kinora::tasks::parse_order(text);
  KINORA_CHECK(again && kinora::tasks::json::serialize(kinora::tasks::to_json(*again)) == text);
  return 0;
}
