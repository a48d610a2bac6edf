// What a model of the Stable Diffusion families can do, from its configurations.
#include <algorithm>

#include "models/clip/clip_text.hpp"
#include "models/diffusion/scheduler_config.hpp"
#include "models/stable_diffusion/few_steps.hpp"
#include "models/stable_diffusion/pipeline.hpp"
#include "models/stable_diffusion/unet_config.hpp"
#include "models/stable_diffusion/vae_config.hpp"

namespace kinora::models::stable_diffusion {
namespace {

bool is_single_file(const ModelFiles& files) { return !files.index().file().ends_with("model_index.json"); }

// Steps and guidance, and for a single file of a distilled model its scheduler (few_steps.hpp).
void set_schedule(PipelineInfo& info, const ModelFiles& files, bool xl) {
  info.scheduler_config = diffusion::read_scheduler_config(files, !xl).json().dump();
  info.steps = 50;
  info.guidance_scale = xl ? 5.0 : 7.5;
  // A UNet of its own has been distilled with another scheduler than the model's, as a whole file has that brings none.
  const auto named = files.unet_file()       ? files.unet_file()->filename().string()
                     : is_single_file(files) ? std::filesystem::path(files.index().file()).filename().string()
                                             : std::string();
  apply(named.empty() ? NamedRecipe{} : recipe_for_file(named), info);
  diffusion::make_scheduler(info, "");  // refuses what is not known
}

}  // namespace

PipelineInfo describe(const ModelFiles& files) {
  PipelineInfo info;
  info.pipeline = files.index().text("_class_name", "");
  const bool xl = info.pipeline.starts_with("StableDiffusionXL");
  info.family = !xl ? "sd" : files.has("text_encoder") ? "sdxl" : "sdxl-refiner";

  const auto unet = UNetConfig::read(files.config("unet"));
  const auto vae = VaeConfig::read(files.config("vae"));
  info.size_multiple = std::max<std::int64_t>(8, vae.factor());
  const std::int64_t side = (unet.sample_size > 0 ? unet.sample_size : xl ? 128 : 64) * vae.factor();
  info.width = info.height = side;
  info.guidance_embedded = unet.guidance_width > 0;
  if (unet.in_channels == vae.latent_channels) {
    info.tasks = {Task::image_to_image, Task::inpaint};
    if (info.family != "sdxl-refiner") info.tasks.insert(info.tasks.begin(), Task::text_to_image);
  } else if (unet.in_channels == 2 * vae.latent_channels + 1) {
    info.tasks = {Task::inpaint};
  } else {
    files.config("unet").refuse("in_channels", std::to_string(unet.in_channels) + " channels belong to no task that is built: must be " +
                                                   std::to_string(vae.latent_channels) + ", or " +
                                                   std::to_string(2 * vae.latent_channels + 1) + " for inpainting");
  }

  std::int64_t layers =
      clip::TextConfig::read(files.config(files.has("text_encoder") ? "text_encoder" : "text_encoder_2")).tower.num_hidden_layers;
  if (xl && files.has("text_encoder"))
    layers = std::min<std::int64_t>(layers, clip::TextConfig::read(files.config("text_encoder_2")).tower.num_hidden_layers);
  info.max_clip_skip = xl ? layers - 1 : layers;

  set_schedule(info, files, xl);
  return info;
}

}  // namespace kinora::models::stable_diffusion
