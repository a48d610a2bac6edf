#pragma once
// AnimateDiff: text-to-video with a Stable Diffusion 1.x folder and a motion adapter's (models/pipeline.hpp). Order of operations and of
// random draws as AnimateDiffPipeline of diffusers.
#include <filesystem>
#include <memory>

#include "models/diffusion/diffusion_pipeline.hpp"
#include "models/model_files.hpp"

namespace kinora::models::animatediff {

PipelineInfo describe(const ModelFiles& files, const std::filesystem::path& adapter);
// settings.motion_adapter must be given.
std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings);

}  // namespace kinora::models::animatediff
