#include "runner/nvml.hpp"

#include <dlfcn.h>

#include <array>

namespace kinora::runner {
namespace {

// The few declarations of nvml.h that are used (NVIDIA Management Library API, version 2 entry points).
using Device = void*;
struct Memory {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned gpu, memory;
};
constexpr unsigned kTextBytes = 96;  // NVML_DEVICE_UUID_V2_BUFFER_SIZE and ..._NAME_V2_...

struct Library {
  void* handle = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*device)(unsigned, Device*) = nullptr;
  int (*uuid)(Device, char*, unsigned) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*memory)(Device, Memory*) = nullptr;
  int (*capability)(Device, int*, int*) = nullptr;
  int (*utilization)(Device, Utilization*) = nullptr;
  bool ready = false;
};

template <class Function>
bool find(void* handle, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, symbol));
  return function != nullptr;
}

Library open_library() {
  Library nvml;
  nvml.handle = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (nvml.handle == nullptr) return nvml;
  int (*init)() = nullptr;
  nvml.ready = find(nvml.handle, "nvmlInit_v2", init) && find(nvml.handle, "nvmlDeviceGetCount_v2", nvml.count) &&
               find(nvml.handle, "nvmlDeviceGetHandleByIndex_v2", nvml.device) && find(nvml.handle, "nvmlDeviceGetUUID", nvml.uuid) &&
               find(nvml.handle, "nvmlDeviceGetName", nvml.name) && find(nvml.handle, "nvmlDeviceGetMemoryInfo", nvml.memory) &&
               find(nvml.handle, "nvmlDeviceGetCudaComputeCapability", nvml.capability) &&
               find(nvml.handle, "nvmlDeviceGetUtilizationRates", nvml.utilization) && init() == 0;
  return nvml;
}

}  // namespace

std::vector<Gpu> query_gpus() {
  static const Library nvml = open_library();
  std::vector<Gpu> gpus;
  unsigned count = 0;
  if (!nvml.ready || nvml.count(&count) != 0) return gpus;
  for (unsigned index = 0; index < count; ++index) {
    Device device = nullptr;
    if (nvml.device(index, &device) != 0) continue;
    Gpu gpu;
    std::array<char, kTextBytes> text{};
    if (nvml.uuid(device, text.data(), kTextBytes) == 0) gpu.id = text.data();
    if (nvml.name(device, text.data(), kTextBytes) == 0) gpu.name = text.data();
    if (Memory memory{}; nvml.memory(device, &memory) == 0) {
      gpu.memory_total = memory.total;
      gpu.memory_free = memory.free;
    }
    nvml.capability(device, &gpu.major, &gpu.minor);
    if (Utilization busy{}; nvml.utilization(device, &busy) == 0) {
      gpu.utilization_compute = busy.gpu;
      gpu.utilization_memory = busy.memory;
    }
    gpus.push_back(std::move(gpu));
  }
  return gpus;
}

}  // namespace kinora::runner
