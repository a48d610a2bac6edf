#pragma once
// What the diffusion pipelines share: checks, components, number formats, errors of the device.
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "models/diffusion/adapter_shelf.hpp"
#include "models/diffusion/component.hpp"
#include "models/diffusion/job.hpp"
#include "models/loaded.hpp"
#include "models/pipeline.hpp"
#include "models/safety/safety_stage.hpp"
#include "nn/weights.hpp"

namespace kinora::models::diffusion {

// A denoiser on one device.
template <typename Network>
struct Branch {
  std::shared_ptr<const Network> model;
  c10::Device device;
  std::function<void(std::size_t block)> before_block;  // may be empty
};

class DiffusionPipeline : public Pipeline {
 public:
  const PipelineInfo& info() const override { return info_; }
  std::string description() const override;
  std::vector<ComponentState> components() const override { return components_.states(); }
  void to_host() override { components_.to_host(); }
  void to_device() override { components_.to_device(); }
  GenerationResult run(const GenerationRequest& request, const GenerationWatch& watch) override { return run(request, watch, {}); }
  GenerationResult run(const GenerationRequest& request, const GenerationWatch& watch, const Trace& trace);
  // The safety checker of its pictures, if there is one; before the first run.
  void check_safety_with(std::optional<safety::CheckerFiles> files);

 protected:
  DiffusionPipeline(PipelineInfo info, const PipelineSettings& settings, at::ScalarType dtype);
  virtual GenerationResult generate(Job& job) = 0;

  at::ScalarType dtype() const { return dtype_; }  // of denoiser and encoders
  at::ScalarType vae_dtype(bool force_upcast) const;
  nn::Placement placement(at::ScalarType dtype) const;
  // A denoiser of many blocks, whose weights have names behind `prefix` and a number (with block_by_block they stay where they are
  // stored): on the device, and once more on the one for guidance if there is one.
  template <typename Network>
  std::vector<Branch<Network>> load_branches(const std::string& component, const nn::Checkpoint& weights,
                                             const typename Network::Config& config, std::string_view prefix);
  const PipelineSettings& settings() const { return settings_; }

  Components components_;

 private:
  PipelineInfo info_;
  PipelineSettings settings_;
  at::ScalarType dtype_;
  AdapterShelf adapters_;
  std::optional<safety::SafetyStage> safety_;
};

template <typename Network>
std::vector<Branch<Network>> DiffusionPipeline::load_branches(const std::string& component, const nn::Checkpoint& weights,
                                                              const typename Network::Config& config, std::string_view prefix) {
  std::vector<c10::Device> devices{components_.device()};
  if (!settings_.guidance_device.empty()) devices.emplace_back(settings_.guidance_device);
  std::vector<Branch<Network>> branches;
  for (const auto device : devices) {
    auto place = placement(dtype_);
    place.device = components_.load_device(device);
    if (components_.residency() == Residency::block_by_block) place.staged = prefix;
    auto loaded = load_network<Network>(weights, config, place);
    auto before_block = components_.add(component, std::move(loaded.parameters), device, loaded.staged, prefix);
    branches.push_back({.model = std::move(loaded.model), .device = device, .before_block = std::move(before_block)});
  }
  return branches;
}

// Number::automatic decided for a denoiser that is stored so.
at::ScalarType choose_dtype(const PipelineSettings& settings, const nn::Checkpoint& denoiser);

}  // namespace kinora::models::diffusion
