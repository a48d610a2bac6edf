#pragma once
// Picture rates as people write them. Pure.
#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace kinora::tasks {

// num / den pictures a second, reduced.
struct PictureRate {
  std::int64_t num = 60, den = 1;
  double value() const { return static_cast<double>(num) / static_cast<double>(den); }
  friend bool operator==(const PictureRate&, const PictureRate&) = default;
};

inline constexpr double kMinPictureRate = 1, kMaxPictureRate = 480;

// "60", "59.94", "60000/1001". 23.976, 29.97, 59.94 and their kin mean the rates of television, n * 1000/1001; other decimals are taken to
// three places. invalid, with the reason: no number, or not within kMinPictureRate..kMaxPictureRate.
base::Result<PictureRate> parse_picture_rate(std::string_view text);

}  // namespace kinora::tasks
