#pragma once
// Where the weights of a pipeline's parts are. A component's weights can go to host memory and come back: the handles that its network
// holds stay the same (nn::Parameters). In host memory lie the tensors as they were loaded, so that going back copies nothing. Of a network
// of many blocks these can stay where they are stored and come a few at a time (BlockWindow).
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/diffusion/block_window.hpp"
#include "models/lora/adapters.hpp"
#include "models/pipeline.hpp"
#include "nn/weights.hpp"

namespace kinora::models::diffusion {

struct Component {
  std::string name;
  c10::Device device;
  nn::Parameters parameters;  // of the network that stands
  nn::Parameters host;        // the same on the host; empty when the device is the host or the weights are only on the device
  bool on_device = false;
  std::unique_ptr<BlockWindow> blocks{};  // of its weights, these come a few at a time; they are none of `parameters`

  std::uint64_t outside() const;  // bytes of `parameters`
};

class Components {
 public:
  Components(c10::Device device, Residency residency) : device_(device), residency_(residency) {}

  // Where the weights of a component are to be loaded that is used on `device`.
  c10::Device load_device(c10::Device device) const { return residency_ == Residency::whole ? device : c10::Device(c10::kCPU); }
  c10::Device load_device() const { return load_device(device_); }
  void add(std::string name, nn::Parameters parameters) { add(std::move(name), std::move(parameters), device_); }
  // On a device of its own; a further one of the same name is a copy, which comes, goes and is adapted with the first. staged: weights
  // that were left where they are stored, all behind `prefix` and the number of a block. -> to be called before a block of the
  // network is used; empty when its blocks do not come one by one. Valid as long as this.
  std::function<void(std::size_t block)> add(std::string name, nn::Parameters parameters, c10::Device device, const nn::Staged& staged = {},
                                             std::string_view prefix = {});

  // Before a part of a run: brings the named ones to the device and, with one_by_one, the others to the host.
  void use(const std::vector<std::string>& names);
  // Of the largest matrix that a layer makes of the blocks of a GGUF file, in float32 and in `dtype`; 0: there is none.
  std::uint64_t unpacked_bytes(at::ScalarType dtype) const;
  // Adapters on the weights of all components, in place of those of the last call; between runs. They are set where the weights are:
  // with one_by_one on the host, else on the device. Throws nn::LoadError and changes nothing when one does not fit.
  void adapt(const std::vector<lora::AdapterUse>& uses);
  bool has(const std::string& name) const;
  bool adapted() const { return adapters_ && adapters_->changed_weights() > 0; }
  void to_host();    // without adapters: the base weights only
  void to_device();  // all; with one_by_one none, they come when needed
  std::vector<ComponentState> states() const;
  c10::Device device() const { return device_; }
  Residency residency() const { return residency_; }

 private:
  void move(Component& component, bool to_device);

  c10::Device device_;
  Residency residency_;
  std::vector<Component> all_;
  std::vector<lora::AdapterTarget> targets_;  // all weights of each
  std::unique_ptr<lora::Adapters> adapters_;  // once there were some
};

}  // namespace kinora::models::diffusion
