#include "models/diffusion/component.hpp"

#include <algorithm>

namespace kinora::models::diffusion {
namespace {

// The network's handle gets the memory of `value`.
void exchange(const at::Tensor& handle, const at::Tensor& value) {
  handle.unsafeGetTensorImpl()->shallow_copy_from(value.getIntrusivePtr());
}

}  // namespace

std::uint64_t Component::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [weight, tensor] : parameters) sum += tensor.nbytes();
  return sum;
}

void Components::add(std::string name, nn::Parameters parameters) {
  const bool on_device = load_device() == device_;
  all_.push_back({.name = std::move(name), .parameters = std::move(parameters), .host = {}, .on_device = on_device});
}

void Components::move(Component& component, bool to_device) {
  if (device_.is_cpu() || component.on_device == to_device) return;
  if (component.host.empty()) {
    for (const auto& [name, tensor] : component.parameters)
      component.host.emplace(name, component.on_device ? tensor.cpu() : tensor.alias());
  }
  for (const auto& [name, handle] : component.parameters) {
    const auto& held = component.host.at(name);
    exchange(handle, to_device ? held.to(device_, held.scalar_type(), /*non_blocking=*/false, /*copy=*/true) : held);
  }
  component.on_device = to_device;
}

void Components::use(const std::vector<std::string>& names) {
  const auto wanted = [&](const Component& one) { return std::find(names.begin(), names.end(), one.name) != names.end(); };
  if (residency_ == Residency::one_by_one)
    for (auto& one : all_)
      if (!wanted(one)) move(one, false);
  for (auto& one : all_)
    if (wanted(one)) move(one, true);
}

void Components::adapt(const std::vector<lora::AdapterUse>& uses) {
  if (uses.empty() && !adapters_) return;
  const bool on_host = residency_ == Residency::one_by_one;
  for (auto& one : all_) move(one, !on_host);
  if (!adapters_) {
    std::vector<lora::AdapterTarget> targets;
    targets.reserve(all_.size());
    for (const auto& one : all_) targets.push_back({.component = one.name, .parameters = one.parameters});
    adapters_ = std::make_unique<lora::Adapters>(std::move(targets));
  }
  adapters_->set(uses);
  if (on_host)
    for (auto& one : all_) one.host.clear();  // what goes to the device from now on is what the networks hold
}

void Components::to_host() {
  // On the host lie the base weights, which the device's take the place of.
  if (adapters_ && residency_ == Residency::whole) adapters_->set({});
  for (auto& one : all_) move(one, false);
}

void Components::to_device() {
  if (residency_ == Residency::one_by_one) return;
  for (auto& one : all_) move(one, true);
}

std::vector<ComponentState> Components::states() const {
  std::vector<ComponentState> states;
  states.reserve(all_.size());
  for (const auto& one : all_) states.push_back({.name = one.name, .bytes = one.bytes(), .on_device = one.on_device});
  const bool on_device = residency_ == Residency::whole || device_.is_cpu();
  if (adapted()) states.push_back({.name = "adapters", .bytes = adapters_->base_bytes(), .on_device = on_device});
  return states;
}

}  // namespace kinora::models::diffusion
