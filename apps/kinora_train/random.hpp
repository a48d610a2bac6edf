#pragma once
// Seeded random numbers that are the same on every machine (the standard library's distributions are not).
// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. Not for secrets.
#include <cmath>
#include <cstdint>
#include <numbers>

namespace kinora::train {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // An independent stream for item `index` of a seed, so that step 1000 does not depend on what steps 1..999 drew.
  Random(std::uint64_t seed, std::uint64_t index) : state_(Random(seed ^ (index * 0xD1342543DE82EF95ULL)).next()) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // [0, 1)
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // [low, high], both ends included; the modulo's bias is far below what training sees.
  int integer(int low, int high) { return low + static_cast<int>(next() % (static_cast<std::uint64_t>(high - low) + 1)); }
  bool chance(double probability) { return uniform() < probability; }
  // Mean 0, deviation 1 (Box-Muller).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace kinora::train
