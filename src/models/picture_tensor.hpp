#pragma once
// Pictures in the caller's memory as tensors.
#include <ATen/core/Tensor.h>

#include "models/upscaler.hpp"

namespace kinora::models {

// [3, H, W] over the memory, whatever its order; uint8 or uint16. Only inputs may be const.
at::Tensor view_picture(const void* data, SampleType type, std::int64_t width, std::int64_t height);
double full_scale(SampleType type);  // 255 or 65535
// [3, H, W] float 0..1 -> samples: clamped, rounded to nearest even, of the type's dtype.
at::Tensor to_samples(const at::Tensor& rgb, SampleType type);

}  // namespace kinora::models
