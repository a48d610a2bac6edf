#include "models/diffusion/component.hpp"

#include <c10/util/accumulate.h>

#include <algorithm>

#include "nn/gguf/packed.hpp"

namespace kinora::models::diffusion {
namespace {

// While it lives, the weights of blocks are in host memory where their networks have them.
class OpenBlocks {
 public:
  explicit OpenBlocks(const std::vector<Component>& all) : all_(all) {
    for (const auto& one : all_)
      if (one.blocks) one.blocks->open();
  }
  ~OpenBlocks() {
    for (const auto& one : all_)
      if (one.blocks) one.blocks->close();
  }
  OpenBlocks(const OpenBlocks&) = delete;
  OpenBlocks& operator=(const OpenBlocks&) = delete;

 private:
  const std::vector<Component>& all_;
};

}  // namespace

std::uint64_t Component::outside() const {
  std::uint64_t sum = 0;
  for (const auto& [weight, tensor] : parameters) sum += tensor.nbytes();
  return sum;
}

std::function<void(std::size_t)> Components::add(std::string name, nn::Parameters parameters, c10::Device device, const nn::Staged& staged,
                                                 std::string_view prefix) {
  std::unique_ptr<BlockWindow> blocks;
  std::function<void(std::size_t)> before_block;
  if (!staged.empty()) {
    blocks = std::make_unique<BlockWindow>(parameters, staged, prefix, device);
    before_block = [window = blocks.get()](std::size_t block) { window->enter(block); };
  }
  nn::Parameters all = parameters;
  for (const auto& [weight, read] : staged) parameters.erase(weight);
  targets_.push_back({.component = name, .parameters = std::move(all)});
  all_.push_back({.name = std::move(name),
                  .device = device,
                  .parameters = std::move(parameters),
                  .host = {},
                  .on_device = load_device(device) == device,
                  .blocks = std::move(blocks)});
  return before_block;
}

std::uint64_t Components::unpacked_bytes(at::ScalarType dtype) const {
  std::uint64_t largest = 0;
  for (const auto& target : targets_)
    for (const auto& [name, weight] : target.parameters)
      if (nn::gguf::is_packed(weight))
        largest = std::max(largest, static_cast<std::uint64_t>(c10::multiply_integers(nn::gguf::logical_sizes(weight))));
  return largest * (at::elementSize(at::kFloat) + (dtype == at::kFloat ? 0 : at::elementSize(dtype)));
}

void Components::move(Component& component, bool to_device) {
  if (component.device.is_cpu() || component.on_device == to_device) return;
  if (component.host.empty()) {
    for (const auto& [name, tensor] : component.parameters)
      component.host.emplace(name, component.on_device ? tensor.cpu() : tensor.alias());
  }
  for (const auto& [name, handle] : component.parameters) {
    const auto& held = component.host.at(name);
    nn::exchange(handle, to_device ? held.to(component.device, held.scalar_type(), /*non_blocking=*/false, /*copy=*/true) : held);
  }
  component.on_device = to_device;
}

void Components::use(const std::vector<std::string>& names) {
  const auto wanted = [&](const Component& one) { return std::find(names.begin(), names.end(), one.name) != names.end(); };
  if (residency_ != Residency::whole)
    for (auto& one : all_)
      if (!wanted(one)) {
        if (one.blocks) one.blocks->leave();
        move(one, false);
      }
  for (auto& one : all_)
    if (wanted(one)) move(one, true);
}

void Components::adapt(const std::vector<lora::AdapterUse>& uses) {
  if (uses.empty() && !adapters_) return;
  const bool on_host = residency_ != Residency::whole;
  for (auto& one : all_) move(one, !on_host);
  if (!adapters_) adapters_ = std::make_unique<lora::Adapters>(targets_);
  {
    const OpenBlocks open(all_);
    adapters_->set(uses);
  }
  if (on_host)
    for (auto& one : all_) one.host.clear();  // what goes to the device from now on is what the networks hold
}

bool Components::has(const std::string& name) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Component& one) { return one.name == name; });
}

void Components::to_host() {
  // On the host lie the base weights, which the device's take the place of.
  if (adapters_ && residency_ == Residency::whole) adapters_->set({});
  for (auto& one : all_) {
    if (one.blocks) one.blocks->leave();
    move(one, false);
  }
}

void Components::to_device() {
  if (residency_ != Residency::whole) return;
  for (auto& one : all_) move(one, true);
}

std::vector<ComponentState> Components::states() const {
  std::vector<ComponentState> states;
  states.reserve(all_.size());
  for (const auto& one : all_) {
    const auto outside = one.outside();
    states.push_back({.name = one.name,
                      .bytes = outside + (one.blocks ? one.blocks->bytes() : 0),
                      .most = outside + (one.blocks ? std::min(one.blocks->bytes(), one.blocks->most_bytes()) : 0),
                      .device = one.device.str(),
                      .on_device = one.on_device});
  }
  const bool on_device = residency_ == Residency::whole || device_.is_cpu();
  if (!adapted()) return states;
  const auto bases = adapters_->base_bytes();
  states.push_back({.name = "adapters", .bytes = bases, .most = bases, .device = device_.str(), .on_device = on_device});
  return states;
}

}  // namespace kinora::models::diffusion
