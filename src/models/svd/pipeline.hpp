#pragma once
// Stable Video Diffusion: image-to-video (models/pipeline.hpp). Order of operations and of random draws as StableVideoDiffusionPipeline of
// diffusers.
#include <memory>

#include "models/diffusion/diffusion_pipeline.hpp"
#include "models/model_files.hpp"

namespace kinora::models::svd {

PipelineInfo describe(const ModelFiles& files);
std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings);

}  // namespace kinora::models::svd
