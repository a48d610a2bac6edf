#pragma once
// PReLU for training. LibTorch's own operator makes its slopes' gradient as a whole tensor and sums that, which takes longer than the
// convolution before it; this one sums while it goes over the picture once.
#include <ATen/core/Tensor.h>

namespace kinora::train {

// x: [B, C, H, W], float or bfloat16, channels-last (made so when it is not); slopes: [C], float. y = x where x > 0, else slope * x.
// Differentiable in both. One thread; the slopes' gradient is summed in float, in a fixed order.
at::Tensor prelu(const at::Tensor& x, const at::Tensor& slopes);

}  // namespace kinora::train
