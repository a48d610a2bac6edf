#pragma once
// Exponential back-off of a node, or of one capability of it: first, twice, four times ... up to the longest. One success
// forgives everything. Pure: time is handed in.
#include <algorithm>
#include <chrono>

#include "base/ulid.hpp"

namespace kinora::market {

struct BackOff {
  std::chrono::milliseconds first{1'000};
  std::chrono::milliseconds longest{60'000};
};

class Suspension {
 public:
  void failed(base::UnixMillis now, const BackOff& rule) {
    // 2^20 times any sensible first step is past the longest.
    constexpr int kMostDoublings = 20;
    const auto wait = rule.first * (std::int64_t{1} << std::min(failures_, kMostDoublings));
    ++failures_;
    until_ = now + std::min(wait, rule.longest);
  }
  void succeeded() { *this = Suspension(); }
  bool active(base::UnixMillis now) const { return now < until_; }
  std::chrono::milliseconds left(base::UnixMillis now) const { return std::max(until_ - now, std::chrono::milliseconds(0)); }
  base::UnixMillis until() const { return until_; }
  int failures() const { return failures_; }

 private:
  int failures_ = 0;
  base::UnixMillis until_{};
};

}  // namespace kinora::market
