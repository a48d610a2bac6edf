#pragma once
// Stable Diffusion 1.x and 2.x, SDXL and its refiner: text-to-image, image-to-image and inpainting (models/pipeline.hpp).
// Order of operations and of random draws as StableDiffusion*Pipeline and StableDiffusionXL*Pipeline of diffusers.
#include <memory>

#include "models/diffusion/diffusion_pipeline.hpp"
#include "models/model_files.hpp"

namespace kinora::models::stable_diffusion {

PipelineInfo describe(const ModelFiles& files);
std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings);

}  // namespace kinora::models::stable_diffusion
