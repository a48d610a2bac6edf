#pragma once
// How fast units go by, and how long the rest will take. Pure: the time is handed in. Not thread-safe.
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace kinora::runner {

class Rate {
 public:
  using Clock = std::chrono::steady_clock;
  // The rate is that of the last window: long enough to be calm, short enough to follow a change.
  static constexpr std::chrono::seconds kWindow{5};

  void add(std::int64_t units_done, Clock::time_point now) {
    samples_.emplace_back(now, units_done);
    while (samples_.size() > 2 && now - samples_[1].first >= kWindow) samples_.pop_front();
    if (samples_.size() > kMaxSamples) samples_.erase(samples_.begin() + 1);
  }

  // Units a second; nullopt before two moments are known.
  std::optional<double> per_second() const {
    if (samples_.size() < 2) return std::nullopt;
    const std::chrono::duration<double> time = samples_.back().first - samples_.front().first;
    const auto units = samples_.back().second - samples_.front().second;
    if (time.count() <= 0 || units <= 0) return std::nullopt;
    return static_cast<double>(units) / time.count();
  }

  // Seconds until `total`; nullopt when rate or total is unknown.
  std::optional<double> seconds_left(std::int64_t total) const {
    const auto rate = per_second();
    if (!rate || total <= 0) return std::nullopt;
    const auto left = total - samples_.back().second;
    return left > 0 ? static_cast<double>(left) / *rate : 0.0;
  }

 private:
  static constexpr std::size_t kMaxSamples = 4096;
  std::deque<std::pair<Clock::time_point, std::int64_t>> samples_;
};

}  // namespace kinora::runner
