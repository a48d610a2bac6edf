#include "models/pipeline.hpp"

#include <algorithm>
#include <array>

#include "models/animatediff/pipeline.hpp"
#include "models/check_model.hpp"
#include "models/diffusion/block_window.hpp"
#include "models/ltx/pipeline.hpp"
#include "models/safety/safety_stage.hpp"
#include "models/single_file/video_layout.hpp"
#include "models/stable_diffusion/pipeline.hpp"
#include "models/svd/pipeline.hpp"
#include "models/t5/t5_encoder.hpp"
#include "models/wan/describe.hpp"
#include "models/wan/pipeline.hpp"
#include "nn/device.hpp"

namespace kinora::models {
namespace {

// The families by the classes that model_index.json names.
struct Family {
  std::vector<std::string_view> classes;
  PipelineInfo (*describe)(const ModelFiles& files);
  std::unique_ptr<diffusion::DiffusionPipeline> (*load)(const ModelFiles& files, const PipelineSettings& settings);
  std::string_view blocks{};  // what the names of its transformer's blocks begin with; empty: they do not come one by one
  nn::Checkpoint (*denoiser)(nn::Checkpoint file) = nullptr;  // of such a transformer, under diffusers' names
};

const Family& family_of(const ModelFiles& files) {
  static const std::array<Family, 4> kFamilies{
      Family{
          {"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline", "LatentConsistencyModelPipeline",
           "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline"},
          stable_diffusion::describe,
          stable_diffusion::load},
      Family{{"StableVideoDiffusionPipeline"}, svd::describe, svd::load},
      Family{{"WanPipeline", "WanImageToVideoPipeline"}, wan::describe, wan::load, wan::kBlocks, single_file::wan_transformer},
      Family{{"LTXPipeline", "LTXImageToVideoPipeline"}, ltx::describe, ltx::load, ltx::kBlocks, single_file::ltx_transformer}};
  std::vector<std::string_view> known;
  for (const auto& family : kFamilies) known.insert(known.end(), family.classes.begin(), family.classes.end());
  const auto cls = files.index().choice("_class_name", "", known);
  for (const auto& family : kFamilies)
    for (const auto name : family.classes)
      if (name == cls) return family;
  return kFamilies.front();
}

ModelFiles open(const std::filesystem::path& path, const PipelineSettings& settings) {
  auto files = ModelFiles::open(path, settings.variant, settings.companions);
  if (settings.tokenizers) files.borrow_tokenizers(*settings.tokenizers);
  if (settings.unet) files.replace_unet(*settings.unet);
  return files;
}

}  // namespace

PipelineInfo describe_pipeline(const std::filesystem::path& path, const PipelineSettings& settings) {
  const auto files = open(path, settings);
  auto info = settings.motion_adapter ? animatediff::describe(files, *settings.motion_adapter) : family_of(files).describe(files);
  info.safety_checker = safety::find_checker(files, settings).has_value();
  return info;
}

std::uint64_t least_device_bytes(const std::filesystem::path& path, const PipelineSettings& settings) {
  const auto files = open(path, settings);
  const auto& family = family_of(files);
  if (family.blocks.empty() || settings.motion_adapter) return 0;
  std::uint64_t least = 0;
  for (const char* name : {"transformer", "transformer_2", "vae", "text_encoder", "image_encoder"}) {
    if (!files.has(name)) continue;
    const std::string_view component = name;
    const bool transformer = component.starts_with("transformer");
    const auto weights = transformer ? family.denoiser(files.weights(name)) : files.weights(name);
    least = std::max(least, diffusion::least_bytes(weights, transformer ? family.blocks : component == "text_encoder" ? t5::kBlocks : ""));
  }
  return least;
}

void check_pipeline(const std::filesystem::path& path, const PipelineSettings& settings) {
  auto dry = settings;
  dry.device = "meta";
  dry.guidance_device.clear();
  const auto files = open(path, dry);
  (void)(dry.motion_adapter ? animatediff::load(files, dry) : family_of(files).load(files, dry));
}

std::unique_ptr<Pipeline> load_pipeline(const std::filesystem::path& path, const PipelineSettings& settings) {
  nn::check_device(settings.device);
  if (!settings.guidance_device.empty()) nn::check_device(settings.guidance_device);
  const auto files = open(path, settings);
  auto pipeline = settings.motion_adapter ? animatediff::load(files, settings) : family_of(files).load(files, settings);
  pipeline->check_safety_with(safety::find_checker(files, settings));
  return pipeline;
}

}  // namespace kinora::models
