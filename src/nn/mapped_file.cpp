#include "nn/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "nn/load_error.hpp"

namespace kinora::nn {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // non-blocking: a pipe must not hold us
  if (file < 0) throw LoadError(path.string(), "", std::strerror(errno));
  struct stat state{};
  void* mapped = nullptr;
  const char* reason = nullptr;
  if (::fstat(file, &state) != 0) {
    reason = std::strerror(errno);
  } else if (!S_ISREG(state.st_mode)) {
    reason = "not a regular file";
  } else if (state.st_size > 0) {
    // Writable yet private: LibTorch has no read-only tensors, and a write must not fault nor change the file.
    mapped = ::mmap(nullptr, static_cast<std::size_t>(state.st_size), PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (mapped == MAP_FAILED) reason = std::strerror(errno);
  }
  ::close(file);
  if (reason != nullptr) throw LoadError(path.string(), "", reason);
  data_ = static_cast<std::byte*>(mapped);
  size_ = static_cast<std::size_t>(state.st_size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace kinora::nn
