#pragma once
// A file mapped into memory, private to this process. Owned; unmapped by the destructor. Errors: nn::LoadError.
#include <cstddef>
#include <filesystem>
#include <span>

namespace kinora::nn {

class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);  // a regular file; an empty one gives an empty span
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace kinora::nn
