#include "kinora_train/muon.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

// [count, rows, columns] -> the same with singular values of about 0.7 to 1.2 each; coefficients: steepest at zero.
at::Tensor orthogonal(const at::Tensor& matrices) {
  const bool tall = matrices.size(1) > matrices.size(2);
  at::Tensor x = (tall ? matrices.transpose(1, 2) : matrices).to(at::kBFloat16);
  x = x / x.norm(2, {1, 2}, true).clamp_min(1e-7);
  for (int i = 0; i < 5; ++i) {
    const at::Tensor gram = at::bmm(x, x.transpose(1, 2));
    x = at::baddbmm(x, at::baddbmm(gram, gram, gram, -4.7750, 2.0315), x, 3.4445, 1);
  }
  return tall ? x.transpose(1, 2) : x;
}

}  // namespace

Muon::Muon(nn::TensorMap weights, double momentum) : weights_(std::move(weights)), momentum_(momentum) {
  for (const auto& [name, weight] : weights_) {
    if (weight.dim() < 2) throw Failure(name + " is no matrix");
    first_[name] = at::zeros_like(weight);
    by_shape_[{weight.size(0), weight.numel() / weight.size(0)}].push_back(name);
  }
}

void Muon::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  for (const auto& [shape, names] : by_shape_) {
    std::vector<at::Tensor> ahead, moved;
    for (const auto& name : names) {
      at::Tensor& weight = weights_[name];
      if (!weight.grad().defined()) continue;
      ahead.push_back(weight.grad().lerp(first_[name].lerp_(weight.grad(), 1 - momentum_), momentum_).flatten(1));
      moved.push_back(weight);
      weight.mutable_grad().reset();
    }
    if (moved.empty()) continue;
    const at::Tensor updates = orthogonal(at::stack(ahead)).to(at::kFloat);
    const double scale = 0.2 * std::sqrt(static_cast<double>(std::max(shape[0], shape[1])));
    for (std::size_t i = 0; i < moved.size(); ++i)
      moved[i].sub_(updates[static_cast<std::int64_t>(i)].view_as(moved[i]), learning_rate * scale);
  }
}

nn::TensorMap Muon::state() const {
  nn::TensorMap state;
  for (const auto& [name, moment] : first_) state["first." + name] = moment;
  return state;
}

void Muon::restore(const nn::TensorMap& state) {
  for (const auto& [name, moment] : first_) {
    const auto found = state.find("first." + name);
    if (found == state.end() || found->second.sizes() != moment.sizes()) throw Failure("the checkpoint has no fitting first." + name);
    moment.copy_(found->second);
  }
}

}  // namespace kinora::train
