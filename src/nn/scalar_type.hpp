#pragma once
// The element types of files as LibTorch's, and back.
#include <c10/core/ScalarType.h>

#include <optional>

#include "nn/dtype.hpp"

namespace kinora::nn {

at::ScalarType scalar_type(Dtype dtype);
std::optional<Dtype> stored_dtype(at::ScalarType type);  // nullopt: files have no name for it (complex double, quantised)

}  // namespace kinora::nn
