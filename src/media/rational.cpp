#include "media/rational.hpp"

namespace kinora::media {
namespace {
__extension__ using Wide = __int128;
}

std::strong_ordering compare(const Timestamp& a, const Timestamp& b) {
  // 63 + 31 + 31 bits fit in 127: bases come from 32-bit fractions.
  const Wide left = static_cast<Wide>(a.ticks) * a.base.num * b.base.den;
  const Wide right = static_cast<Wide>(b.ticks) * b.base.num * a.base.den;
  return left < right ? std::strong_ordering::less : left > right ? std::strong_ordering::greater : std::strong_ordering::equal;
}

std::int64_t rescale(const Timestamp& a, Rational base) {
  const Wide up = static_cast<Wide>(a.ticks) * a.base.num * base.den;
  const Wide down = static_cast<Wide>(a.base.den) * base.num;
  const Wide half = down / 2;
  return static_cast<std::int64_t>(up >= 0 ? (up + half) / down : -((-up + half) / down));
}

}  // namespace kinora::media
