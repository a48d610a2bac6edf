#pragma once
// Whether a run can fit, told before it begins.
#include <cstdint>
#include <string>
#include <vector>

#include "models/pipeline.hpp"

namespace kinora::models::diffusion {

// parts: the pipeline's components, of which those of this device count; except with `whole` only the largest is on the device at a time,
// of it what most says. activations: what the run needs beside them at its peak, bytes. Throws OutOfMemory with the numbers when the device
// has less, counting what the parts hold already.
void require_memory(const std::string& device, const std::vector<ComponentState>& parts, Residency residency, std::uint64_t activations);
// The same against a given amount of free memory.
void require_memory(std::uint64_t free, const std::string& device, const std::vector<ComponentState>& parts, Residency residency,
                    std::uint64_t activations);

}  // namespace kinora::models::diffusion
