#include "wire/price.hpp"

namespace kinora::wire {
namespace {
__extension__ using Wide = __int128;
}

bool operator<=(const Price& a, const Price& b) { return static_cast<Wide>(a.wei) * b.units <= static_cast<Wide>(b.wei) * a.units; }

std::string to_string(const Price& price) {
  return price.units == 1 ? std::to_string(price.wei) : std::to_string(price.wei) + "/" + std::to_string(price.units);
}

}  // namespace kinora::wire
