#include "models/animatediff/pipeline.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

#include <algorithm>

#include "models/animatediff/unet.hpp"
#include "models/diffusion/guidance.hpp"
#include "models/diffusion/scheduler_config.hpp"
#include "models/stable_diffusion/picture_decoder.hpp"
#include "models/stable_diffusion/pipeline.hpp"
#include "models/stable_diffusion/text_stage.hpp"

namespace kinora::models::animatediff {
namespace {

using diffusion::Job;
using stable_diffusion::Conditioning;
using stable_diffusion::Vae;
using stable_diffusion::VaeConfig;

class AnimateDiff final : public diffusion::DiffusionPipeline {
 public:
  AnimateDiff(const ModelFiles& files, const PipelineSettings& chosen)
      : DiffusionPipeline(describe(files, *chosen.motion_adapter), chosen, diffusion::choose_dtype(chosen, files.weights("unet"))) {
    text_ = stable_diffusion::load_text_stage(files, clip::PromptFamily::sd, placement(dtype()), components_);
    const auto adapter = nn::JsonConfig::read(*chosen.motion_adapter / "config.json");
    auto weights = files.weights("unet");
    weights.tensors.merge(nn::open_checkpoint(*chosen.motion_adapter).tensors);
    auto unet = load_network<UNet>(
        std::move(weights),
        UNetMotionConfig::join(stable_diffusion::UNetConfig::read(files.config("unet")), MotionConfig::read(adapter), adapter.file()),
        placement(dtype()));
    unet_ = unet.model;
    components_.add("unet", std::move(unet.parameters));
    const auto config = VaeConfig::read(files.config("vae"));
    auto vae = load_network<Vae>(files.weights("vae"), config, placement(vae_dtype(config.force_upcast)));
    vae_ = vae.model;
    components_.add("vae", std::move(vae.parameters));
  }

 protected:
  GenerationResult generate(Job& job) override {
    const auto& request = job.request();
    const std::int64_t frames = request.frames.value_or(info().frames), factor = vae_->config().factor();
    const double guidance = job.guidance();
    const bool two = guidance > 1;

    job.begin(Phase::encoding);
    components_.use(text_.components);
    const auto encoded = text_.encode(request);
    const auto& positive = encoded.positive.tokens;
    const Conditioning conditioning{.context = (two ? at::cat({encoded.negative.tokens, positive}) : positive).to(components_.device()),
                                    .guidance = {},
                                    .pooled_text = {},
                                    .size_ids = {}};
    diffusion::Denoising work;
    work.latents = job.normal({1, vae_->config().latent_channels, frames, job.height() / factor, job.width() / factor}) *
                   job.scheduler().init_noise_sigma();
    work.preview_of = [frames](const at::Tensor& clean) { return clean[0].select(1, frames / 2); };
    work.predict = [&](const at::Tensor& scaled, const at::Tensor& timestep) {
      const auto input = scaled.to(dtype());
      const auto output = unet_->forward(two ? at::cat({input, input}) : input, timestep, conditioning).to(at::kFloat);
      return two ? diffusion::guided(output, at::full({}, guidance).to(output.device()), request.guidance_rescale.value_or(0.0)) : output;
    };
    components_.use({"unet"});
    const auto latents = job.denoise(work);
    job.begin(Phase::decoding);
    components_.use({"vae"});
    const auto pictures = latents.transpose(1, 2).flatten(0, 1);
    auto result = job.finish(decode_pictures(job, *vae_, pictures, request.decode_chunk.value_or(16), settings().decode_bytes));
    result.fps = request.fps.value_or(info().fps);
    return result;
  }

 private:
  stable_diffusion::TextStage text_;
  std::shared_ptr<const UNet> unet_;
  std::shared_ptr<const Vae> vae_;
};

}  // namespace

PipelineInfo describe(const ModelFiles& files, const std::filesystem::path& adapter) {
  auto info = stable_diffusion::describe(files);
  if (info.family != "sd")
    throw nn::LoadError(adapter.string(), "motion_adapter", "goes with Stable Diffusion 1.x, not with " + info.pipeline);
  const auto motion = MotionConfig::read(nn::JsonConfig::read(adapter / "config.json"));
  info.family = "animatediff";
  info.pipeline = "AnimateDiffPipeline";
  info.tasks = {Task::text_to_video};
  info.max_frames = motion.max_frames;
  info.frames = std::min<std::int64_t>(16, motion.max_frames);
  info.fps = 8;
  // The class takes the scheduler's configuration as it is.
  info.scheduler_config = diffusion::read_scheduler_config(files, false).json().dump();
  return info;
}

std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings) {
  return std::make_unique<AnimateDiff>(files, settings);
}

}  // namespace kinora::models::animatediff
