#pragma once
// Where the weights of a pipeline's parts are. A component's weights can go to host memory and come back: the handles that its network
// holds stay the same (nn::Parameters). In host memory lie the tensors as they were loaded, so that going back copies nothing.
#include <c10/core/Device.h>

#include <memory>
#include <string>
#include <vector>

#include "models/lora/adapters.hpp"
#include "models/pipeline.hpp"
#include "nn/weights.hpp"

namespace kinora::models::diffusion {

struct Component {
  std::string name;
  nn::Parameters parameters;  // of the network that stands
  nn::Parameters host;        // the same on the host; empty when the device is the host or the weights are only on the device
  bool on_device = false;

  std::uint64_t bytes() const;
};

class Components {
 public:
  Components(c10::Device device, Residency residency) : device_(device), residency_(residency) {}

  // Where the weights of a component are to be loaded.
  c10::Device load_device() const { return residency_ == Residency::whole ? device_ : c10::Device(c10::kCPU); }
  void add(std::string name, nn::Parameters parameters);

  // Before a part of a run: brings the named ones to the device and, with one_by_one, the others to the host.
  void use(const std::vector<std::string>& names);
  // Adapters on the weights of all components, in place of those of the last call; between runs. They are set where the weights are:
  // with one_by_one on the host, else on the device. Throws nn::LoadError and changes nothing when one does not fit.
  void adapt(const std::vector<lora::AdapterUse>& uses);
  bool adapted() const { return adapters_ && adapters_->changed_weights() > 0; }
  void to_host();    // without adapters: the base weights only
  void to_device();  // all; with one_by_one none, they come when needed
  std::vector<ComponentState> states() const;
  c10::Device device() const { return device_; }

 private:
  void move(Component& component, bool to_device);

  c10::Device device_;
  Residency residency_;
  std::vector<Component> all_;
  std::unique_ptr<lora::Adapters> adapters_;  // once there were some
};

}  // namespace kinora::models::diffusion
