// The GGUF header on any bytes: LoadError, or tensors that lie in the file; quantised ones are decoded.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "nn/gguf/gguf_header.hpp"
#include "nn/load_error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    for (const auto& entry : kinora::nn::gguf::parse_gguf_header(bytes, "fuzz").tensors) {
      if (entry.bytes > size || entry.begin > size - entry.bytes) std::abort();
      if (entry.type.plain) continue;
      std::vector<float> values(entry.bytes / entry.type.bytes * entry.type.elements);
      kinora::nn::gguf::dequantise(entry.type, bytes.subspan(entry.begin, entry.bytes), values);
    }
  } catch (const kinora::nn::LoadError&) {
  }
  return 0;
}
