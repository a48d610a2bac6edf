#include "nn/device.hpp"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <mutex>
#include <optional>

#include "nn/load_error.hpp"

namespace kinora::nn {
namespace {

struct CudaState {
  bool usable = false;
  std::string why;
};

CudaState try_cuda() {
  if (dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) == nullptr) return {.usable = false, .why = "no NVIDIA driver (libcuda.so.1)"};
  // By bare name: found through the run path of this executable, which names LibTorch's folder. Never closed.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return {.usable = false, .why = reason != nullptr ? reason : "libtorch_cuda.so cannot be loaded"};
  }
  if (!at::hasCUDA()) return {.usable = false, .why = "LibTorch finds no usable CUDA device"};
  return {.usable = true, .why = {}};
}

const CudaState& cuda() {
  static const CudaState state = try_cuda();
  return state;
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

// A number of bytes from a file; nullopt when it is absent or holds a word ("max").
std::optional<std::uint64_t> bytes_in(const char* path) {
  std::ifstream in(path);
  std::uint64_t bytes = 0;
  return in >> bytes ? std::optional(bytes) : std::nullopt;
}

DeviceMemory host_memory() {
  DeviceMemory memory;
  std::ifstream in("/proc/meminfo");
  std::string key, unit;
  for (std::uint64_t kib = 0; in >> key >> kib && std::getline(in, unit);) {
    if (key == "MemTotal:") memory.total_bytes = kib << 10;
    if (key == "MemAvailable:") memory.free_bytes = kib << 10;
  }
  if (const auto limit = bytes_in("/sys/fs/cgroup/memory.max")) {
    const std::uint64_t used = bytes_in("/sys/fs/cgroup/memory.current").value_or(0);
    memory.total_bytes = std::min(memory.total_bytes, *limit);
    memory.free_bytes = std::min(memory.free_bytes, *limit - std::min(*limit, used));
  }
  return memory;
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "processor";
}

}  // namespace

bool load_cuda(std::string* why) {
  if (why != nullptr) *why = cuda().why;
  return cuda().usable;
}

void set_threads(int threads) { at::set_num_threads(threads > 0 ? threads : usable_cores()); }
int threads() { return at::get_num_threads(); }

void check_device(const std::string& device) {
  if (device == "cpu") return;
  const bool named = device.starts_with("cuda:") && device.size() > 5 && device.size() <= 8 &&
                     std::all_of(device.begin() + 5, device.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!named) throw LoadError(device, "", "not a device: give cpu or cuda:N");
  std::string why;
  if (!load_cuda(&why)) throw LoadError(device, "", why);
  if (std::stoi(device.substr(5)) >= at::accelerator::deviceCount()) throw LoadError(device, "", "there is no such device");
}

std::string describe_devices() {
  std::string text = processor() + ", " + std::to_string(threads()) + " threads, " + at::get_cpu_capability();
  std::string why;
  if (load_cuda(&why)) return text + "; " + std::to_string(at::accelerator::deviceCount()) + " CUDA devices";
  return text + "; no CUDA: " + why;
}

DeviceMemory device_memory(const std::string& device) {
  if (device == "cpu") return host_memory();
  const auto [free_bytes, total_bytes] = at::accelerator::getMemoryInfo(static_cast<c10::DeviceIndex>(c10::Device(device).index()));
  return {.total_bytes = total_bytes, .free_bytes = free_bytes};
}

}  // namespace kinora::nn
