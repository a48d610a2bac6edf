#include "nn/mapped_tensor.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

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

}  // namespace

at::Tensor mapped_tensor(std::shared_ptr<const MappedFile> file, std::uint64_t begin, Dtype dtype, const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides) {
  const auto options = at::TensorOptions().dtype(scalar_type(dtype));
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return at::empty(shape, options);
  std::byte* data = file->bytes().data() + begin;
  if (reinterpret_cast<std::uintptr_t>(data) % bytes_per_element(dtype) == 0)
    return at::from_blob(data, shape, strides, [keep = std::move(file)](void*) {}, options).contiguous();
  std::int64_t reached = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) reached += (shape[i] - 1) * strides[i];
  const at::Tensor aligned = at::empty({reached}, options);
  std::memcpy(aligned.mutable_data_ptr(), data, aligned.nbytes());
  return aligned.as_strided(shape, strides).contiguous();
}

at::Tensor mapped_tensor(std::shared_ptr<const MappedFile> file, std::uint64_t begin, Dtype dtype, const std::vector<std::int64_t>& shape) {
  return mapped_tensor(std::move(file), begin, dtype, shape, contiguous_strides(shape));
}

}  // namespace kinora::nn
