#pragma once
// Exact fractions for frame rates, aspect ratios and clocks. Plain values, no FFmpeg types.
#include <compare>
#include <cstdint>

namespace kinora::media {

// num / den; den == 0 means "unknown".
struct Rational {
  std::int64_t num = 0;
  std::int64_t den = 1;
  bool known() const { return den != 0 && num != 0; }
  double value() const { return den == 0 ? 0.0 : static_cast<double>(num) / static_cast<double>(den); }
  friend bool operator==(const Rational&, const Rational&) = default;
};

// A point on, or a length of, a stream's clock: ticks * base seconds.
struct Timestamp {
  std::int64_t ticks = 0;
  Rational base{1, 1};
  double seconds() const { return static_cast<double>(ticks) * base.value(); }
};
// Exact comparison across clocks (128-bit products).
std::strong_ordering compare(const Timestamp& a, const Timestamp& b);
// a's ticks on the clock `base`, nearest, ties away from zero.
std::int64_t rescale(const Timestamp& a, Rational base);

}  // namespace kinora::media
