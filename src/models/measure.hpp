#pragma once
// Chooses between several ways of computing one network by running each on a small test picture: those that differ from the first
// (the reference) by more than kMinPsnr are out, the fastest of the rest wins. Results are kept for the life of the process.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/upscaler.hpp"

namespace kinora::models {

// A way is close enough when its 16-bit output has at least this PSNR to the reference: errors far below one 8-bit level.
inline constexpr double kMinPsnr = 54.0;
inline constexpr std::int64_t kProbeWidth = 320;
inline constexpr std::int64_t kProbeHeight = 180;

struct Measured {
  std::string description;
  double milliseconds = 0;  // best of a few runs on kProbeWidth x kProbeHeight
  double psnr = 0;          // to the reference; 100 when equal
};
struct Choice {
  std::size_t index = 0;           // of the way that won
  std::vector<Measured> measured;  // in the order given
};

using MakeUpscaler = std::function<std::unique_ptr<Upscaler>()>;
// ways[0] is the reference. key: what the result depends on besides this machine (architecture, sizes, device). Thread-safe.
Choice choose_fastest(const std::string& key, const std::vector<MakeUpscaler>& ways);

}  // namespace kinora::models
