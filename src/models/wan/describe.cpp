#include "models/wan/describe.hpp"

#include <algorithm>

#include "models/diffusion/scheduler_config.hpp"
#include "models/t5/t5_prompt.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::wan {
namespace {

constexpr std::int64_t kMaxLatentFrames = 256;

// A model folder may tell how it wants to be used where that is not as the family is.
void read_defaults(const nn::JsonConfig& given, PipelineInfo& info) {
  info.width = given.integer("width", info.width, info.size_multiple, kMaxSide);
  info.height = given.integer("height", info.height, info.size_multiple, kMaxSide);
  info.frames = given.integer("frames", info.frames, 1, info.max_frames);
  info.fps = given.integer("fps", info.fps, 1, 120);
  info.steps = given.integer("steps", info.steps, 1, 1000);
  info.guidance_scale = given.number("guidance_scale", info.guidance_scale);
  info.guidance_start = given.number("guidance_start", info.guidance_start);
  info.guidance_end = given.number("guidance_end", info.guidance_end);
  if (!(info.guidance_start >= 0 && info.guidance_start <= info.guidance_end && info.guidance_end <= 1))
    given.refuse("guidance_end", "must lie between guidance_start, at least 0, and 1");
}

}  // namespace

Layout read_layout(const ModelFiles& files) {
  const auto transformer = files.config("transformer");
  Layout layout{.transformer = TransformerConfig::read(transformer), .vae = VaeConfig::read(files.config("vae"))};
  const auto latents = layout.vae.latent_channels;
  const auto given = latents + layout.vae.time_factor();
  layout.prompt_tokens =
      files.index().object("kinora_defaults").integer("max_sequence_length", layout.prompt_tokens, 1, t5::kMaxPromptTokens);
  layout.expand_timesteps = files.index().flag("expand_timesteps", false);
  layout.picture_channels = layout.transformer.in_channels == latents + given;
  if (!layout.picture_channels && layout.transformer.in_channels != latents)
    transformer.refuse("in_channels", "must be " + std::to_string(latents) + ", the latents of its VAE, or " +
                                          std::to_string(latents + given) + " with those of given frames, not " +
                                          std::to_string(layout.transformer.in_channels));
  if (layout.transformer.out_channels != latents)
    transformer.refuse("out_channels", "must be " + std::to_string(latents) + ", the latents of its VAE");
  if (!files.has("transformer_2")) return layout;
  layout.boundary = files.index().number("boundary_ratio", 0.875);
  if (layout.boundary < 0 || layout.boundary > 1) files.index().refuse("boundary_ratio", "must lie between 0 and 1");
  return layout;
}

PipelineInfo describe(const ModelFiles& files) {
  const auto layout = read_layout(files);
  PipelineInfo info;
  info.family = "wan";
  info.pipeline = files.index().text("_class_name", "");
  if (!layout.picture_channels) info.tasks.push_back(Task::text_to_video);
  if (layout.picture_channels || layout.expand_timesteps) info.tasks.push_back(Task::image_to_video);
  info.takes_last_picture = layout.picture_channels;
  info.size_multiple = layout.vae.factor() * std::max(layout.transformer.patch[1], layout.transformer.patch[2]);
  info.frame_multiple = layout.vae.time_factor();
  const auto most = std::min(layout.transformer.max_positions * layout.transformer.patch[0], kMaxLatentFrames);
  info.max_frames = 1 + info.frame_multiple * (most - 1);
  // As the model cards have it: 480p at 16 a second, the 5B model 720p at 24.
  info.width = layout.expand_timesteps ? 1280 : 832;
  info.height = layout.expand_timesteps ? 704 : 480;
  info.frames = std::min<std::int64_t>(layout.expand_timesteps ? 121 : 81, info.max_frames);
  info.fps = layout.expand_timesteps ? 24 : 16;
  info.steps = 50;
  info.guidance_scale = 5.0;
  read_defaults(files.index().object("kinora_defaults"), info);
  info.scheduler_config = diffusion::read_scheduler_config(files, false).json().dump();
  diffusion::make_scheduler(info, "");
  return info;
}

}  // namespace kinora::models::wan
