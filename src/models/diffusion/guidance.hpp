#pragma once
// Classifier-free guidance (arXiv:2207.12598).
#include <ATen/core/Tensor.h>

namespace kinora::models::diffusion {

// both [2 B, ...]: the prediction without the prompt, then with it. scale: a number, or a tensor that broadcasts over the B rows.
// rescale 0..1 pulls the deviation of each row back towards that of the prediction with the prompt (arXiv:2305.08891, 3.4).
at::Tensor guided(const at::Tensor& both, const at::Tensor& scale, double rescale);

}  // namespace kinora::models::diffusion
