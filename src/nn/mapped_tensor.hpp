#pragma once
// A tensor over a part of a mapped file.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/dtype.hpp"
#include "nn/mapped_file.hpp"

namespace kinora::nn {

// Shares the file's memory and keeps it mapped. A copy is made only where the elements are not aligned or not contiguous; the result is
// contiguous. begin: byte of the first element. The caller has seen that shape and strides stay in the file.
at::Tensor mapped_tensor(std::shared_ptr<const MappedFile> file, std::uint64_t begin, Dtype dtype, const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides);
at::Tensor mapped_tensor(std::shared_ptr<const MappedFile> file, std::uint64_t begin, Dtype dtype, const std::vector<std::int64_t>& shape);

}  // namespace kinora::nn
