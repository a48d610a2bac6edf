// A file of torch.save on any bytes, in its zip and its legacy form: LoadError, or tensors that lie in the file.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "nn/load_error.hpp"
#include "nn/torch_file/torch_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    for (const auto& record : kinora::nn::torch_file::read_torch_file(std::as_bytes(std::span(data, size)), "fuzz")) {
      if (std::find(record.shape.begin(), record.shape.end(), 0) != record.shape.end()) continue;
      std::uint64_t elements = 1;
      for (std::size_t i = 0; i < record.shape.size(); ++i)
        elements += static_cast<std::uint64_t>(record.shape[i] - 1) * static_cast<std::uint64_t>(record.strides[i]);
      if (record.begin + elements * bytes_per_element(record.dtype) > size) std::abort();
    }
  } catch (const kinora::nn::LoadError&) {
  }
  return 0;
}
