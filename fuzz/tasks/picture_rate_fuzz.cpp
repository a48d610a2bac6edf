// A picture rate: refused, or reduced, within bounds, and read as itself when written as a fraction.
#include <cstdint>
#include <numeric>
#include <string>

#include "base/check.hpp"
#include "tasks/picture_rate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora::tasks;
  const auto rate = parse_picture_rate({reinterpret_cast<const char*>(data), size});
  if (!rate) return 0;
  KINORA_CHECK(rate->value() >= kMinPictureRate && rate->value() <= kMaxPictureRate && std::gcd(rate->num, rate->den) == 1);
  const auto again = parse_picture_rate(std::to_string(rate->num) + "/" + std::to_string(rate->den));
  KINORA_CHECK(again && *again == *rate);
  return 0;
}
