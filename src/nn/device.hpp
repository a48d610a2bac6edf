#pragma once
// Which device computes. LibTorch's CUDA half is loaded at run time when a driver and its libraries are there; nothing links it.
#include <cstdint>
#include <string>

namespace kinora::nn {

// Loads CUDA once per process, before the first tensor. Returns whether it can be used; `why` says what is missing when not.
bool load_cuda(std::string* why = nullptr);

// Sets how many cores a network call uses; process-wide, once, at start. 0: all that this process may use.
void set_threads(int threads);
int threads();

// The name of a device that can be used: "cpu", or "cuda:N" with N below the number of devices. Throws LoadError with the reason.
void check_device(const std::string& device);

// Memory of a device that check_device() accepts; of the CPU, the machine's (or the control group's limit when that is less).
struct DeviceMemory {
  std::uint64_t total_bytes = 0, free_bytes = 0;
};
DeviceMemory device_memory(const std::string& device);

// "AMD EPYC ..., 2 threads, AVX512" or the accelerator's state; for doctor.
std::string describe_devices();

}  // namespace kinora::nn
