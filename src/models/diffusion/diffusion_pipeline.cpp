#include "models/diffusion/diffusion_pipeline.hpp"

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

namespace kinora::models::diffusion {

at::ScalarType choose_dtype(const PipelineSettings& settings, const nn::Checkpoint& denoiser) {
  switch (settings.number) {
    case Number::fp32: return at::kFloat;
    case Number::bf16: return at::kBFloat16;
    case Number::fp16: return at::kHalf;
    case Number::automatic: break;
  }
  if (settings.device == "cpu") return at::kFloat;
  const bool half = !denoiser.tensors.empty() && denoiser.tensors.begin()->second.dtype == nn::Dtype::f16;
  return half ? at::kHalf : at::kBFloat16;
}

DiffusionPipeline::DiffusionPipeline(PipelineInfo info, const PipelineSettings& settings, at::ScalarType dtype)
    : components_(c10::Device(settings.device), settings.residency), info_(std::move(info)), settings_(settings), dtype_(dtype) {}

std::string DiffusionPipeline::description() const {
  return info_.pipeline + " on " + settings_.device + ", " + std::string(c10::toString(dtype_)) +
         (settings_.residency == Residency::whole ? "" : ", one component at a time") +
         (settings_.residency == Residency::block_by_block ? ", a few blocks of transformers" : "") +
         (settings_.guidance_device.empty() ? "" : ", without the prompt on " + settings_.guidance_device);
}

at::ScalarType DiffusionPipeline::vae_dtype(bool force_upcast) const { return dtype_ == at::kHalf && force_upcast ? at::kFloat : dtype_; }

nn::Placement DiffusionPipeline::placement(at::ScalarType dtype) const {
  return {.device = components_.load_device(), .dtype = dtype, .channels_last = true};
}

void DiffusionPipeline::check_safety_with(std::optional<safety::CheckerFiles> files) {
  if (files) safety_.emplace(*std::move(files));
  info_.safety_checker = safety_.has_value();
}

GenerationResult DiffusionPipeline::run(const GenerationRequest& request, const GenerationWatch& watch, const Trace& trace) {
  if (auto faults = check_request(info_, request); !faults.empty()) throw InvalidRequest(std::move(faults));
  std::vector<std::string> notes;
  const auto rounded = rounded_request(info_, request, &notes);
  const c10::InferenceMode inference;
  try {
    adapters_.set(request.adapters, components_);
    const auto info = info_for(info_, request);
    Job job(rounded, info, watch, trace, components_.device(), dtype_);
    auto result = generate(job);
    result.notes.insert(result.notes.begin(), notes.begin(), notes.end());
    if (safety_ && request.safety_check && !result.latents) safety_->check(request, components_, result);
    return result;
  } catch (const c10::OutOfMemoryError& error) {
    throw OutOfMemory(error.what_without_backtrace());
  }
}

}  // namespace kinora::models::diffusion
