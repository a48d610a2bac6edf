#include "models/diffusion/memory.hpp"

#include <algorithm>
#include <cstdio>

#include "nn/device.hpp"

namespace kinora::models::diffusion {
namespace {

std::string gib(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GiB", static_cast<double>(bytes) / static_cast<double>(1ULL << 30));
  return text;
}

}  // namespace

void require_memory(std::uint64_t free, const std::string& device, const std::vector<ComponentState>& parts, Residency residency,
                    std::uint64_t activations) {
  // On the CPU what a part of the run has no use for stays where it is.
  const bool together = residency == Residency::whole || device == "cpu";
  std::uint64_t weights = 0, held = 0;
  for (const auto& part : parts) {
    if (part.device != device) continue;
    weights = together ? weights + part.most : std::max(weights, part.most);
    held += part.on_device ? part.most : 0;
  }
  if (weights + activations <= free + held) return;
  throw OutOfMemory("this takes about " + gib(weights + activations) + " on " + device + " (weights " + gib(weights) + ", the run " +
                    gib(activations) + "), " + gib(free + held) + " are there: ask for fewer frames or a smaller size");
}

void require_memory(const std::string& device, const std::vector<ComponentState>& parts, Residency residency, std::uint64_t activations) {
  require_memory(nn::device_memory(device).free_bytes, device, parts, residency, activations);
}

}  // namespace kinora::models::diffusion
