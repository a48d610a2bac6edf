#include <algorithm>
#include <cmath>
#include <sstream>

#include "models/diffusion/scheduler_config.hpp"
#include "models/pipeline.hpp"
#include "models/stable_diffusion/few_steps.hpp"
#include "models/wan/distilled.hpp"
#include "nn/load_error.hpp"

namespace kinora::models {
namespace {

using Faults = std::vector<std::string>;
using Whole = std::optional<std::int64_t>;

constexpr std::int64_t kMaxPictureSide = 16384;

void check_whole(Faults& faults, std::string_view name, const Whole& value, std::int64_t min, std::int64_t max) {
  if (!value || (*value >= min && *value <= max)) return;
  faults.push_back(std::string(name) + " must be " + std::to_string(min) + " to " + std::to_string(max) + ", not " +
                   std::to_string(*value));
}

void check_number(Faults& faults, std::string_view name, const std::optional<double>& value, double min, double max) {
  if (!value || (*value >= min && *value <= max)) return;  // false for NaN
  std::ostringstream text;
  text << name << " must be a number from " << min << " to " << max << ", not " << *value;
  faults.push_back(text.str());
}

void check_side(Faults& faults, std::string_view name, const Whole& value, std::int64_t multiple) {
  if (!value || (*value >= multiple && *value <= kMaxSide && *value % multiple == 0)) return;
  faults.push_back(std::string(name) + " must be a multiple of " + std::to_string(multiple) + " from " + std::to_string(multiple) + " to " +
                   std::to_string(kMaxSide) + ", not " + std::to_string(*value));
}

void check_size(Faults& faults, std::string_view name, const std::optional<Size>& value, std::int64_t min) {
  if (!value) return;
  check_whole(faults, std::string(name) + " height", value->height, min, kMaxPictureSide);
  check_whole(faults, std::string(name) + " width", value->width, min, kMaxPictureSide);
}

template <typename Picture>
void check_picture(Faults& faults, std::string_view name, const std::optional<Picture>& picture, std::int64_t channels, std::int64_t min) {
  if (!picture) {
    faults.push_back(std::string(name) + " is needed for this task");
    return;
  }
  const bool sides =
      picture->width >= min && picture->height >= min && picture->width <= kMaxPictureSide && picture->height <= kMaxPictureSide;
  if (!sides)
    faults.push_back(std::string(name) + " must have sides of " + std::to_string(min) + " to " + std::to_string(kMaxPictureSide) +
                     " pixels, not " + std::to_string(picture->width) + " x " + std::to_string(picture->height));
  else if (static_cast<std::int64_t>(picture->pixels.size()) != picture->width * picture->height * channels)
    faults.push_back(std::string(name) + " must have width x height x " + std::to_string(channels) + " bytes");
}

void check_prompts(Faults& faults, const GenerationRequest& request) {
  const auto prompts = request.prompts.size();
  const std::size_t most =
      request.task == Task::text_to_video || request.task == Task::image_to_video ? 1 : static_cast<std::size_t>(kMaxPictures);
  if (prompts < 1) faults.emplace_back("prompt is needed: this model makes nothing without one");
  if (prompts > most) faults.push_back("prompts must be at most " + std::to_string(most) + ", not " + std::to_string(prompts));
  for (const auto& [name, list] :
       {std::pair{"prompts_2", &request.prompts_2}, {"negative_prompts", &request.negative_prompts}, {"negative_2", &request.negative_2}})
    if (list->size() > 1 && list->size() != prompts)
      faults.push_back(std::string(name) + " must be none, one or as many as prompts (" + std::to_string(prompts) + "), not " +
                       std::to_string(list->size()));
  for (const auto* list : {&request.prompts, &request.prompts_2, &request.negative_prompts, &request.negative_2})
    for (const auto& text : *list)
      if (text.size() > kMaxPromptBytes) {
        faults.push_back("a prompt must have at most " + std::to_string(kMaxPromptBytes) + " bytes, not " + std::to_string(text.size()));
        return;
      }
}

// How many pictures (videos) are asked for, and how many seeds that takes.
void check_counts(Faults& faults, const GenerationRequest& request, bool video) {
  check_whole(faults, "count", request.count, 1, video ? 1 : kMaxPictures);
  const auto prompts = video ? 1 : static_cast<std::int64_t>(request.prompts.size());
  const std::int64_t total = request.count >= 1 && request.count <= kMaxPictures && prompts <= kMaxPictures ? prompts * request.count : 0;
  if (total > kMaxPictures)
    faults.push_back("prompts x count must be at most " + std::to_string(kMaxPictures) + " pictures, not " + std::to_string(total));
  const auto seeds = static_cast<std::int64_t>(request.seeds.size());
  if (seeds > 1 && seeds != total)
    faults.push_back("seeds must be none, one, or one for each picture (" + std::to_string(total) + "), not " + std::to_string(seeds));
}

void check_adapters(Faults& faults, const std::vector<AdapterChoice>& adapters) {
  if (adapters.size() > kMaxAdapters)
    faults.push_back("adapters must be at most " + std::to_string(kMaxAdapters) + ", not " + std::to_string(adapters.size()));
  for (const auto& adapter : adapters)
    check_number(faults, "the scale of adapter " + adapter.name, adapter.scale, -kMaxAdapterScale, kMaxAdapterScale);
}

// Latents that go from one SDXL to another in the middle of the steps.
void check_hand_over(Faults& faults, const PipelineInfo& info, const GenerationRequest& request) {
  if (!request.denoising_end && !request.denoising_start && !request.latents) return;
  if (!info.family.starts_with("sdxl")) faults.push_back("denoising_end, denoising_start, latents: only SDXL and its refiner take these");
  check_number(faults, "denoising_end", request.denoising_end, 0, 1);
  check_number(faults, "denoising_start", request.denoising_start, 0, 1);
  if (request.task == Task::inpaint) faults.push_back("denoising_end, denoising_start: inpainting takes all steps");
  if (request.denoising_start.has_value() != (request.latents != nullptr))
    faults.push_back("denoising_start and latents must be given together");
  if (!request.latents) return;
  if (request.task == Task::text_to_image) faults.push_back("latents: text-to-image begins with noise");
  const auto& shape = request.latents->shape;
  std::int64_t count = 1;
  bool sides = shape.size() == 4;
  for (const auto side : shape) {
    sides = sides && side >= 1 && side <= kMaxSide;
    count = sides ? count * side : 0;
  }
  if (!sides || count != static_cast<std::int64_t>(request.latents->values.size()) ||
      shape[0] != static_cast<std::int64_t>(request.prompts.size()) * request.count)
    faults.push_back("latents must be [prompts x count, channels, height, width], as a request with denoising_end made them");
}

void check_steps_taken(Faults& faults, const PipelineInfo& info, const GenerationRequest& request, const nn::Scheduler& scheduler) {
  const auto first = request.denoising_start ? diffusion::steps_before(*request.denoising_start, scheduler, info) : 0;
  const auto last = request.denoising_end ? diffusion::steps_before(*request.denoising_end, scheduler, info) : scheduler.size();
  if (first >= last)
    faults.push_back("denoising_start, denoising_end: none of the " + std::to_string(scheduler.size()) + " steps lies between them");
}

void check_schedule(Faults& faults, const PipelineInfo& info, const GenerationRequest& request, bool starts_from_picture) {
  const auto steps = request.steps.value_or(info.steps);
  try {
    const auto scheduler = diffusion::make_scheduler(info, request.scheduler);
    scheduler->plan({.steps = steps, .mu = info.plans_by_size ? std::optional(0.0) : std::nullopt});
    if (request.denoising_start || request.denoising_end) check_steps_taken(faults, info, request, *scheduler);
    if (!starts_from_picture || request.latents) return;
    const double strength = request.strength.value_or(1.0);
    if (strength > 0 && strength <= 1 && static_cast<std::int64_t>(static_cast<double>(steps) * strength) < 1)
      faults.push_back("steps x strength must be at least 1: " + std::to_string(steps) + " steps with this strength take none");
  } catch (const nn::LoadError& error) {
    faults.push_back(error.what());
  } catch (const std::invalid_argument& error) {
    faults.push_back("steps: " + std::string(error.what()));
  }
}

std::int64_t nearest_below(std::int64_t side, std::int64_t multiple) { return std::max(side / multiple, std::int64_t{1}) * multiple; }

void check_video(Faults& faults, const PipelineInfo& info, const GenerationRequest& request) {
  check_whole(faults, "frames", request.frames, 1, info.max_frames);
  if (request.frames && *request.frames > 0 && *request.frames <= info.max_frames && info.frame_multiple > 1 &&
      (*request.frames - 1) % info.frame_multiple != 0)
    faults.push_back("frames must be 1 + " + std::to_string(info.frame_multiple) + " k, not " + std::to_string(*request.frames));
  check_whole(faults, "fps", request.fps, 1, 120);
  check_whole(faults, "motion_bucket", request.motion_bucket, 0, 255);
  check_whole(faults, "decode_chunk", request.decode_chunk, 1, info.max_frames);
  check_number(faults, "noise_augmentation", request.noise_augmentation, 0, 1);
  check_number(faults, "min_guidance_scale", request.min_guidance_scale, 0, 100);
  check_number(faults, "max_guidance_scale", request.max_guidance_scale, 0, 100);
  check_number(faults, "guidance_scale_2", request.guidance_scale_2, 0, 100);
  check_number(faults, "guidance_start", request.guidance_start, 0, 1);
  check_number(faults, "guidance_end", request.guidance_end, 0, 1);
  if (request.guidance_start.value_or(info.guidance_start) > request.guidance_end.value_or(info.guidance_end))
    faults.push_back("guidance_start must not exceed guidance_end");
  check_whole(faults, "max_sequence_length", request.max_sequence_length, 1, 4096);
  check_number(faults, "step_cache", request.step_cache, 0, 1);
  check_number(faults, "decode_timestep", request.decode_timestep, 0, 1);
  check_number(faults, "decode_noise_scale", request.decode_noise_scale, 0, 1);
  if (!request.last_picture) return;
  if (!info.takes_last_picture) faults.push_back("last_picture: this model cannot be given the last frame");
  check_picture(faults, "last_picture", request.last_picture, 3, 1);
}

}  // namespace

std::string_view name(Task task) {
  switch (task) {
    case Task::text_to_image: return "text-to-image";
    case Task::image_to_image: return "image-to-image";
    case Task::inpaint: return "inpaint";
    case Task::image_to_video: return "image-to-video";
    case Task::text_to_video: return "text-to-video";
  }
  return "";
}

PipelineInfo info_for(const PipelineInfo& info, const GenerationRequest& request) {
  auto own = info;
  if (info.family == "sd" || info.family == "sdxl" || info.family == "animatediff")
    for (const auto& adapter : request.adapters)
      if (const auto recipe = stable_diffusion::recipe_for_adapter(adapter.name); !recipe.scheduler.is_null())
        stable_diffusion::apply(recipe, own);
  if (info.family == "wan")
    for (const auto& adapter : request.adapters) wan::apply_distilled(adapter.name, own);
  return own;
}

GenerationRequest rounded_request(const PipelineInfo& info, GenerationRequest request, std::vector<std::string>* notes) {
  if (info.frame_multiple == 0 || request.strict) return request;
  const auto change = [&](std::string_view name, Whole& value, std::int64_t to, const std::string& why) {
    if (*value == to) return;
    if (notes != nullptr)
      notes->push_back(std::string(name) + " " + std::to_string(*value) + " became " + std::to_string(to) + " (" + why + ")");
    value = to;
  };
  for (const auto& [name, side] : {std::pair{"width", &request.width}, {"height", &request.height}})
    if (*side && **side > 0)
      change(name, *side, nearest_below(**side, info.size_multiple), "multiples of " + std::to_string(info.size_multiple));
  const auto n = info.frame_multiple;
  if (request.frames && *request.frames > 0 && *request.frames <= info.max_frames && (*request.frames - 1) % n != 0)
    change("frames", request.frames, *request.frames / n * n + 1, "1 + " + std::to_string(n) + " k");
  return request;
}

std::vector<std::string> check_request(const PipelineInfo& plain, const GenerationRequest& asked) {
  const auto info = info_for(plain, asked);
  const auto request = rounded_request(info, asked);
  Faults faults;
  bool known = false;
  std::string tasks;
  for (const Task task : info.tasks) {
    known = known || task == request.task;
    tasks.append(tasks.empty() ? "" : ", ").append(name(task));
  }
  if (!known) faults.push_back("task: this model does " + tasks + ", not " + std::string(name(request.task)));
  const bool video = request.task == Task::image_to_video || request.task == Task::text_to_video;
  const bool repaints = request.task == Task::image_to_image || request.task == Task::inpaint;

  if (request.task != Task::image_to_video || info.prompted) check_prompts(faults, request);
  check_counts(faults, request, video);
  check_adapters(faults, request.adapters);
  check_side(faults, "width", request.width, info.size_multiple);
  check_side(faults, "height", request.height, info.size_multiple);
  check_number(faults, "guidance_scale", request.guidance_scale, 0, 100);
  check_number(faults, "guidance_rescale", request.guidance_rescale, 0, 1);
  check_number(faults, "eta", request.eta, 0, 1);
  check_whole(faults, "clip_skip", request.clip_skip, 0, info.max_clip_skip);
  check_whole(faults, "preview_every", request.preview_every, 0, 1000);
  if (repaints) {
    check_number(faults, "strength", request.strength, 0, 1);
    if (request.strength && *request.strength == 0) faults.push_back("strength must be above 0");
  }
  const std::int64_t smallest = info.frame_multiple > 0 ? 1 : info.size_multiple;  // of a picture that is resized in any case
  check_hand_over(faults, info, request);
  if ((repaints && !request.latents) || request.task == Task::image_to_video)
    check_picture(faults, "picture", request.picture, 3, smallest);
  if (request.task == Task::inpaint) check_picture(faults, "mask", request.mask, 1, 1);
  check_schedule(faults, info, request, repaints);
  if (video) check_video(faults, info, request);
  check_size(faults, "original_size", request.original_size, 1);
  check_size(faults, "target_size", request.target_size, 1);
  check_size(faults, "negative_original_size", request.negative_original_size, 1);
  check_size(faults, "negative_target_size", request.negative_target_size, 1);
  check_size(faults, "crop", request.crop, 0);
  check_size(faults, "negative_crop", request.negative_crop, 0);
  check_number(faults, "aesthetic_score", request.aesthetic_score, 0, 10);
  check_number(faults, "negative_aesthetic_score", request.negative_aesthetic_score, 0, 10);
  return faults;
}

AdapterRefused::AdapterRefused(std::string name_, bool broken_, const std::string& why)
    : std::runtime_error("adapter " + name_ + ": " + why), name(std::move(name_)), broken(broken_) {}

InvalidRequest::InvalidRequest(std::vector<std::string> all)
    : std::invalid_argument([&all] {
        std::string text;
        for (const auto& one : all) text.append(text.empty() ? "" : "; ").append(one);
        return text;
      }()),
      faults(std::move(all)) {}

NotFiniteAtStep::NotFiniteAtStep(std::int64_t step_, std::int64_t steps)
    : std::runtime_error("the latents are not finite after step " + std::to_string(step_) + " of " + std::to_string(steps)), step(step_) {}

}  // namespace kinora::models
