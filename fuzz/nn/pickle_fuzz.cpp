// The pickle of a state dict on any bytes: LoadError, or tensors that lie in their storages.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "nn/load_error.hpp"
#include "nn/torch_file/state_dict.hpp"
#include "nn/torch_file/unpickler.hpp"

using namespace kinora::nn::torch_file;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto pickle = unpickle(std::as_bytes(std::span(data, size)), "fuzz", "pickle");
    Storages storages;
    std::uint64_t file_bytes = 0;
    for (const auto& [key, storage] : mentioned_storages(pickle, "fuzz")) {
      const auto bytes = std::min<std::uint64_t>(bytes_of(storage, "fuzz"), 1 << 20);
      storages.emplace(key, Extent{file_bytes, bytes});
      file_bytes += bytes;
    }
    for (const auto& record : state_dict(pickle, storages, "fuzz")) {
      if (std::find(record.shape.begin(), record.shape.end(), 0) != record.shape.end()) continue;
      std::uint64_t elements = 1;
      for (std::size_t i = 0; i < record.shape.size(); ++i)
        elements += static_cast<std::uint64_t>(record.shape[i] - 1) * static_cast<std::uint64_t>(record.strides[i]);
      if (record.begin + elements * bytes_per_element(record.dtype) > file_bytes) std::abort();
    }
  } catch (const kinora::nn::LoadError&) {
  }
  return 0;
}
