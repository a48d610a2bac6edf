#pragma once
// safetensors files as LibTorch tensors. Reading maps the file and copies nothing (a tensor whose data are not aligned to its
// element is copied); the mapping is private and lives as long as any tensor of it, so a slip that writes cannot reach the file.
// The file must not shrink while mapped. Errors: nn::LoadError.
#include <filesystem>
#include <memory>
#include <string>

#include "nn/mapped_file.hpp"
#include "nn/safetensors_header.hpp"
#include "nn/tensor_map.hpp"

namespace kinora::nn {

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const SafetensorsHeader& header() const { return header_; }
  std::span<const std::byte> bytes(const TensorEntry& entry) const;
  at::Tensor tensor(const TensorEntry& entry) const;  // CPU, contiguous, in the stored dtype
  TensorMap tensors() const;                          // all of them

 private:
  std::shared_ptr<const MappedFile> file_;
  SafetensorsHeader header_;
};

// Writes tensors (made contiguous on the CPU) and metadata; by name order, data aligned to 8 bytes from the file's start.
// The file appears complete or not at all (written beside and renamed). Refuses dtypes that the format has no name for.
void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace kinora::nn
