#pragma once
// LTX-Video 0.9.0 to 0.9.5 (LTXPipeline, LTXImageToVideoPipeline): text-to-video and image-to-video with the same files.
#include <memory>
#include <string_view>

#include "models/diffusion/diffusion_pipeline.hpp"
#include "models/model_files.hpp"

namespace kinora::models::ltx {

inline constexpr std::string_view kBlocks = "transformer_blocks.";  // what the names of its transformer's blocks begin with

PipelineInfo describe(const ModelFiles& files);
std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings);

}  // namespace kinora::models::ltx
