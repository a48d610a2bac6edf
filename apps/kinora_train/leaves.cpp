#include "kinora_train/leaves.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <cmath>

#include "kinora_train/error.hpp"
#include "kinora_train/random.hpp"

namespace kinora::train {
namespace {

// Deviation of a weight's first values; 0: all zero; below 0: all ones.
double deviation(const std::string& name, const at::Tensor& shape) {
  // Norms keep directions only: without a constant part, light and dark of one colour would be one.
  if (name.ends_with("conv_in.bias")) return 0.7;
  if (name.ends_with("bias")) return 0;
  if (name.ends_with("gamma") || name.ends_with("beta") || shape.dim() == 1) return -1;
  const double inputs = static_cast<double>(shape.numel()) / static_cast<double>(shape.size(0));
  if (name.ends_with("scale_shift_table")) return 1 / std::sqrt(static_cast<double>(shape.size(2)));
  if (name.starts_with("shared.")) return 1;
  if (name.find("relative_attention_bias") != std::string::npos) return 0.1;
  // T5 has no scale on its scores: the queries bring it.
  if (name.ends_with("SelfAttention.q.weight")) return 1 / inputs;
  if (name.starts_with("proj_out.")) return 0;
  const bool ends_a_way =
      name.ends_with("conv2.weight") || name.ends_with("attentions.0.proj.weight") || name.ends_with("lastconv.0.weight");
  return (ends_a_way ? 0.2 : 1.0) / std::sqrt(inputs);
}

}  // namespace

nn::TensorMap random_weights(const nn::Parameters& shapes, std::uint64_t seed) {
  nn::TensorMap weights;
  std::uint64_t index = 0;
  for (const auto& [name, shape] : shapes) {
    Random random(seed, index++);
    at::Tensor weight = at::empty(shape.sizes(), at::kFloat);
    const double spread = deviation(name, shape);
    auto* const values = weight.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < weight.numel(); ++i) values[i] = spread < 0 ? 1.0F : static_cast<float>(spread * random.normal());
    weights[name] = weight;
  }
  return weights;
}

nn::TensorMap part_of(const nn::TensorMap& all, const std::string& prefix) {
  nn::TensorMap part;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix + ".")) part[name.substr(prefix.size() + 1)] = tensor;
  return part;
}

void Leaves::join(const std::string& name, const at::Tensor& weight, const at::Tensor& leaf) {
  const at::NoGradGuard no_grad;
  weights_[name] = weight.detach().clone();
  leaves_[name] = leaf.requires_grad_(true);
}

const nn::TensorMap& Leaves::hold(const nn::TensorMap& weights) {
  for (const auto& [name, weight] : weights) join(name, weight, weight.detach().clone());
  return leaves_;
}

double Leaves::take_gradients(double longest) {
  const at::NoGradGuard no_grad;
  double squares = 0;
  for (auto& [name, weight] : weights_) {
    auto& leaf = leaves_.at(name);
    if (!leaf.grad().defined()) continue;
    weight.mutable_grad() = leaf.grad().to(at::kFloat);
    leaf.mutable_grad().reset();
    const double length = weight.grad().norm().item<double>();
    squares += length * length;
  }
  const double length = std::sqrt(squares);
  if (length > longest)
    for (auto& [name, weight] : weights_)
      if (weight.grad().defined()) weight.mutable_grad().mul_(longest / length);
  return length;
}

void Leaves::give_weights() {
  const at::NoGradGuard no_grad;
  for (auto& [name, leaf] : leaves_) leaf.copy_(weights_.at(name));
}

void Leaves::set_weights(const nn::TensorMap& values) {
  const at::NoGradGuard no_grad;
  for (auto& [name, weight] : weights_) {
    const auto found = values.find(name);
    if (found == values.end() || found->second.sizes() != weight.sizes()) throw Failure("the stored weights are of another network");
    weight.copy_(found->second);
  }
  give_weights();
}

}  // namespace kinora::train
