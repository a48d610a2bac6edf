#include "nn/mapped_tensor.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "nn/scalar_type.hpp"

namespace kinora::nn {
namespace {

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

// Pages of the mapping that lie whole in this part leave the process's memory; read again they come from the file. A tensor that was only
// read to be copied (another number format, channels-last) so costs its memory once.
void give_back(std::byte* data, std::uint64_t bytes) {
  static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto before = (page - reinterpret_cast<std::uintptr_t>(data) % page) % page;  // of the first whole page
  if (bytes < before) return;
  const auto whole = (bytes - before) / page * page;
  if (whole > 0) madvise(data + before, whole, MADV_DONTNEED);  // advice: whether it is taken does not matter
}

}  // namespace

at::Tensor mapped_tensor(std::shared_ptr<const MappedFile> file, std::uint64_t begin, Dtype dtype, const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides) {
  const auto options = at::TensorOptions().dtype(scalar_type(dtype));
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return at::empty(shape, options);
  std::byte* data = file->bytes().data() + begin;
  std::int64_t reached = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) reached += (shape[i] - 1) * strides[i];
  if (reinterpret_cast<std::uintptr_t>(data) % bytes_per_element(dtype) == 0) {
    const auto bytes = static_cast<std::uint64_t>(reached) * bytes_per_element(dtype);
    const auto release = [keep = std::move(file), data, bytes](void*) { give_back(data, bytes); };
    return at::from_blob(data, shape, strides, release, options).contiguous();
  }
  const at::Tensor aligned = at::empty({reached}, options);
  std::memcpy(aligned.mutable_data_ptr(), data, aligned.nbytes());
  return aligned.as_strided(shape, strides).contiguous();
}

at::Tensor mapped_tensor(std::shared_ptr<const MappedFile> file, std::uint64_t begin, Dtype dtype, const std::vector<std::int64_t>& shape) {
  return mapped_tensor(std::move(file), begin, dtype, shape, contiguous_strides(shape));
}

}  // namespace kinora::nn
