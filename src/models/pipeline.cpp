#include "models/pipeline.hpp"

#include "models/animatediff/pipeline.hpp"
#include "models/stable_diffusion/pipeline.hpp"
#include "models/svd/pipeline.hpp"
#include "nn/device.hpp"

namespace kinora::models {
namespace {

bool is_svd(const ModelFiles& files) {
  return files.index().choice("_class_name", "",
                              {"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
                               "LatentConsistencyModelPipeline", "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline",
                               "StableDiffusionXLInpaintPipeline", "StableVideoDiffusionPipeline"}) == "StableVideoDiffusionPipeline";
}

}  // namespace

PipelineInfo describe_pipeline(const std::filesystem::path& path, const PipelineSettings& settings) {
  const auto files = ModelFiles::open(path, settings.variant);
  if (settings.motion_adapter) return animatediff::describe(files, *settings.motion_adapter);
  return is_svd(files) ? svd::describe(files) : stable_diffusion::describe(files);
}

std::unique_ptr<Pipeline> load_pipeline(const std::filesystem::path& path, const PipelineSettings& settings) {
  nn::check_device(settings.device);
  const auto files = ModelFiles::open(path, settings.variant);
  if (settings.motion_adapter) return animatediff::load(files, settings);
  return is_svd(files) ? svd::load(files, settings) : stable_diffusion::load(files, settings);
}

}  // namespace kinora::models
