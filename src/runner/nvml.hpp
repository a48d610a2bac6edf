#pragma once
// NVIDIA's management library, loaded at run time; an empty list when it is not there. Any thread.
#include <cstdint>
#include <string>
#include <vector>

namespace kinora::runner {

struct Gpu {
  std::string id;  // "GPU-<uuid>"
  std::string name;
  std::uint64_t memory_total = 0;  // bytes
  std::uint64_t memory_free = 0;
  int major = 0, minor = 0;          // compute capability
  unsigned utilization_compute = 0;  // per cent
  unsigned utilization_memory = 0;
};
std::vector<Gpu> query_gpus();

}  // namespace kinora::runner
