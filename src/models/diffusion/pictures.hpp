#pragma once
// The public pictures as tensors and back.
#include <ATen/core/Tensor.h>

#include <vector>

#include "models/pipeline.hpp"

namespace kinora::models::diffusion {

at::Tensor bytes_tensor(const RgbPicture& picture);   // [H, W, 3] uint8, a copy
at::Tensor bytes_tensor(const GrayPicture& picture);  // the same: grey as R, G and B

// [B, 3, H, W] of any device and type, about -1..1; values outside are clamped.
std::vector<RgbPicture> to_pictures(const at::Tensor& x);

}  // namespace kinora::models::diffusion
