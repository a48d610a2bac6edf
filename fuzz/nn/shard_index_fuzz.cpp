// The index of a sharded model on any bytes: LoadError, or a table of plain file names.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "nn/load_error.hpp"
#include "nn/shard_index.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto index = kinora::nn::parse_shard_index({reinterpret_cast<const char*>(data), size}, "fuzz");
    for (const auto& name : index.files())
      if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) std::abort();
  } catch (const kinora::nn::LoadError&) {
  }
  return 0;
}
