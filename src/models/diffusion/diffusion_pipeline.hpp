#pragma once
// What the diffusion pipelines share: checks, components, number formats, errors of the device.
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "models/diffusion/adapter_shelf.hpp"
#include "models/diffusion/component.hpp"
#include "models/diffusion/job.hpp"
#include "models/pipeline.hpp"
#include "models/safety/safety_stage.hpp"
#include "nn/weights.hpp"

namespace kinora::models::diffusion {

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
  const PipelineSettings& settings() const { return settings_; }

  Components components_;

 private:
  PipelineInfo info_;
  PipelineSettings settings_;
  at::ScalarType dtype_;
  AdapterShelf adapters_;
  std::optional<safety::SafetyStage> safety_;
};

// Number::automatic decided for a denoiser that is stored so.
at::ScalarType choose_dtype(const PipelineSettings& settings, const nn::Checkpoint& denoiser);

}  // namespace kinora::models::diffusion
