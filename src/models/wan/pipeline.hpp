#pragma once
// Wan 2.1 and 2.2 (WanPipeline, WanImageToVideoPipeline): text-to-video, image-to-video, first and last frame, two experts.
#include <memory>
#include <string_view>

#include "models/diffusion/diffusion_pipeline.hpp"
#include "models/model_files.hpp"

namespace kinora::models::wan {

inline constexpr std::string_view kBlocks = "blocks.";  // what the names of its transformer's blocks begin with

std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings);

}  // namespace kinora::models::wan
