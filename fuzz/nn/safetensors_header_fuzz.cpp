// The header parser on any bytes: either LoadError, or a table whose tensors lie in the file, in order, without overlap.
#include <cstdlib>

#include "nn/safetensors_header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const auto header = kinora::nn::parse_safetensors_header(bytes, size, "fuzz");
    std::uint64_t position = 0;
    for (const auto& tensor : header.tensors) {
      if (tensor.begin != position || tensor.end < tensor.begin) std::abort();
      position = tensor.end;
    }
    if (header.data_offset + position != size) std::abort();
  } catch (const kinora::nn::LoadError&) {
  }
  return 0;
}
