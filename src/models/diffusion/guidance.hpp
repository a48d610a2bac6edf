#pragma once
// Classifier-free guidance (arXiv:2207.12598).
#include <ATen/core/Tensor.h>

#include <functional>
#include <utility>

namespace kinora::models::diffusion {

// both [2 B, ...]: the prediction without the prompt, then with it. scale: a number, or a tensor that broadcasts over the B rows.
// rescale 0..1 pulls the deviation of each row back towards that of the prediction with the prompt (arXiv:2305.08891, 3.4).
at::Tensor guided(const at::Tensor& both, const at::Tensor& scale, double rescale);

// predict(0) and predict(1); apart: the second on a thread of its own, at the same time. Throws what either throws, after both are done.
std::pair<at::Tensor, at::Tensor> both_branches(bool apart, const std::function<at::Tensor(std::size_t)>& predict);

}  // namespace kinora::models::diffusion
