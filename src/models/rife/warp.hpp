#pragma once
// Backward warping: what stands where the flow points to.
#include <ATen/core/Tensor.h>

namespace kinora::models::rife {

// out[.., y, x] = picture at (x + flow_x[y, x], y + flow_y[y, x]), bilinear, the border repeated beyond it. picture: [B, C, H, W];
// flow: [B, 2, H, W] in pixels, float32. The result has the picture's dtype; coordinates are float32 whatever that is, because float16
// knows only half pixels beyond 1024. The same as grid_sample with aligned corners on normalised coordinates. Differentiable in both.
at::Tensor warp(const at::Tensor& picture, const at::Tensor& flow);

}  // namespace kinora::models::rife
