#pragma once
// The scheduler of a request: that of the model, with the members that the request replaces.
#include <memory>
#include <string>

#include "models/model_files.hpp"
#include "models/pipeline.hpp"
#include "nn/json_config.hpp"
#include "nn/schedulers/scheduler.hpp"

namespace kinora::models::diffusion {

// scheduler_config.json of a model. old_sd: SD 1.x and 2.x, whose first configurations lack two members that the reference then sets
// (steps_offset 1, clip_sample false).
nn::JsonConfig read_scheduler_config(const ModelFiles& files, bool old_sd);

// replacements: GenerationRequest::scheduler. Throws nn::LoadError.
std::unique_ptr<nn::Scheduler> make_scheduler(const PipelineInfo& info, const std::string& replacements);

// Steps of the plan at or above the noise that is left after this share (0..1) of the training schedule has been taken away: where the
// reference's `denoising_end` stops and `denoising_start` begins.
std::int64_t steps_before(double share, const nn::Scheduler& scheduler, const PipelineInfo& info);

}  // namespace kinora::models::diffusion
