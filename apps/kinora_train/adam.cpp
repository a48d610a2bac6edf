#include "kinora_train/adam.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

void copy_into(const nn::TensorMap& targets, const nn::TensorMap& from, const std::string& prefix) {
  for (const auto& [name, target] : targets) {
    const std::string stored = prefix + name;
    const auto found = from.find(stored);
    if (found == from.end() || found->second.sizes() != target.sizes()) throw Failure("the checkpoint has no fitting " + stored);
    target.copy_(found->second);
  }
}

}  // namespace

Adam::Adam(nn::TensorMap weights, AdamSettings settings) : weights_(std::move(weights)), settings_(settings) {
  for (const auto& [name, weight] : weights_) {
    first_[name] = at::zeros_like(weight);
    second_[name] = at::zeros_like(weight);
  }
}

void Adam::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  ++steps_;
  const double correction1 = 1 - std::pow(settings_.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(settings_.beta2, static_cast<double>(steps_));
  for (auto& [name, weight] : weights_) {
    if (!weight.grad().defined()) continue;
    at::Tensor gradient = weight.grad();
    at::Tensor& first = first_[name];
    at::Tensor& second = second_[name];
    first.mul_(settings_.beta1).add_(gradient, 1 - settings_.beta1);
    second.mul_(settings_.beta2).addcmul_(gradient, gradient, 1 - settings_.beta2);
    const at::Tensor spread = (second / correction2).sqrt_().add_(settings_.epsilon);
    weight.addcdiv_(first, spread, -learning_rate / correction1);
    weight.mutable_grad().reset();
  }
}

nn::TensorMap Adam::state() const {
  nn::TensorMap state;
  for (const auto& [name, moment] : first_) state["first." + name] = moment;
  for (const auto& [name, moment] : second_) state["second." + name] = moment;
  return state;
}

void Adam::restore(const nn::TensorMap& state, std::int64_t steps) {
  copy_into(first_, state, "first.");
  copy_into(second_, state, "second.");
  steps_ = steps;
}

Average::Average(const nn::TensorMap& weights, double decay) : decay_(decay) {
  for (const auto& [name, weight] : weights) average_[name] = weight.detach().clone();
}

void Average::update(const nn::TensorMap& weights, std::int64_t step) {
  const at::NoGradGuard no_grad;
  const double decay = std::min(decay_, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
  for (auto& [name, average] : average_) average.lerp_(weights.at(name).detach(), 1 - decay);
}

void Average::restore(const nn::TensorMap& average) {
  const at::NoGradGuard no_grad;
  copy_into(average_, average, "");
}

double cosine_rate(double progress, double peak, double last, double warmup) {
  progress = std::clamp(progress, 0.0, 1.0);
  if (progress < warmup) return peak * progress / warmup;
  const double phase = (progress - warmup) / (1 - warmup);
  return last + (peak - last) * 0.5 * (1 + std::cos(std::numbers::pi * phase));
}

}  // namespace kinora::train
