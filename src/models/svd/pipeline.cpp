#include "models/svd/pipeline.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "models/clip/clip_load.hpp"
#include "models/diffusion/guidance.hpp"
#include "models/diffusion/pictures.hpp"
#include "models/diffusion/scheduler_config.hpp"
#include "models/loaded.hpp"
#include "models/stable_diffusion/picture_decoder.hpp"
#include "models/svd/unet.hpp"
#include "models/svd/vae.hpp"
#include "nn/pixels/image_processor.hpp"
#include "nn/pixels/interpolate.hpp"

namespace kinora::models::svd {
namespace {

using diffusion::Job;
using stable_diffusion::VaeConfig;

constexpr std::int64_t kMaxFrames = 64;

// A single file has no preprocessor_config.json: the colours are those that CLIP was trained with.
nn::JsonConfig with_clip_colours(const nn::JsonConfig& config) {
  nlohmann::json members{{"image_mean", {0.48145466, 0.4578275, 0.40821073}}, {"image_std", {0.26862954, 0.26130258, 0.27577711}}};
  members.update(config.json());
  return {std::move(members), config.file()};
}

class StableVideoDiffusion final : public diffusion::DiffusionPipeline {
 public:
  StableVideoDiffusion(const ModelFiles& files, const PipelineSettings& chosen)
      : DiffusionPipeline(describe(files), chosen, diffusion::choose_dtype(chosen, files.weights("unet"))),
        processor_(nn::ImageProcessor::read(with_clip_colours(files.config("feature_extractor")))) {
    auto encoder = clip::load_vision_model(clip::VisionConfig::read(files.config("image_encoder")), files.weights("image_encoder"),
                                           placement(dtype()));
    encoder_ = encoder.model;
    components_.add("image_encoder", std::move(encoder.parameters));
    auto unet = load_network<UNet>(files.weights("unet"), UNetConfig::read(files.config("unet")), placement(dtype()));
    unet_ = unet.model;
    components_.add("unet", std::move(unet.parameters));
    // The reference encodes in float32 where the network overflows in float16, but decodes in float16. We decode in float32 too.
    const auto config = VaeConfig::read(files.config("vae"));
    auto vae = load_network<TemporalVae>(files.weights("vae"), config, placement(vae_dtype(config.force_upcast)));
    vae_ = vae.model;
    components_.add("vae", std::move(vae.parameters));
  }

 protected:
  GenerationResult generate(Job& job) override {
    const auto& request = job.request();
    const std::int64_t frames = request.frames.value_or(info().frames), fps = request.fps.value_or(info().fps);
    const double strongest = request.max_guidance_scale.value_or(job.guidance()), weakest = request.min_guidance_scale.value_or(1.0);
    const double augmentation = request.noise_augmentation.value_or(0.02);
    const bool two = strongest > 1;
    const auto doubled = [two](const at::Tensor& x) { return two ? at::cat({at::zeros_like(x), x}) : x; };

    job.begin(Phase::encoding);
    components_.use({"image_encoder"});
    const auto context = doubled(encode_for_context(job));
    components_.use({"vae"});
    const auto still = doubled(encode_for_latents(job, augmentation)).unsqueeze(1).expand({-1, frames, -1, -1, -1});
    const auto ids =
        at::tensor({static_cast<double>(fps - 1), static_cast<double>(request.motion_bucket.value_or(127)), augmentation}, at::kDouble)
            .unsqueeze(0)
            .expand({two ? 2 : 1, -1})
            .to(components_.device(), dtype());
    const auto factor = vae_->config().factor();
    diffusion::Denoising work;
    work.latents = job.normal({1, frames, unet_->config().in_channels / 2, job.height() / factor, job.width() / factor}) *
                   job.scheduler().init_noise_sigma();
    work.preview_of = [frames](const at::Tensor& clean) { return clean[0][frames / 2]; };
    const auto scale = at::linspace(weakest, strongest, frames, at::kFloat).view({1, frames, 1, 1, 1}).to(components_.device());
    work.predict = [&](const at::Tensor& scaled, const at::Tensor& timestep) {
      const auto input = scaled.to(dtype());
      const auto output = unet_->forward(at::cat({two ? at::cat({input, input}) : input, still}, 2), timestep, context, ids).to(at::kFloat);
      return two ? diffusion::guided(output, scale, 0) : output;
    };
    components_.use({"unet"});
    const auto latents = job.denoise(work);
    job.begin(Phase::decoding);
    components_.use({"vae"});
    auto result = job.finish(decode(job, latents.flatten(0, 1), frames));
    result.fps = fps;
    return result;
  }

 private:
  // [1, 1, D]
  at::Tensor encode_for_context(const Job& job) const {
    const auto side = encoder_->config().image_size;
    const auto picture = diffusion::bytes_tensor(*job.request().picture).permute({2, 0, 1}).unsqueeze(0).to(at::kFloat) / 255;
    const auto small = (nn::resize_with_antialiasing(picture * 2 - 1, side, side) + 1) / 2;
    const auto pixels = processor_.normalized(small).to(components_.device(), dtype());
    return encoder_->projected(encoder_->pooled(encoder_->hidden_states(pixels, encoder_->layers()).back())).unsqueeze(1);
  }

  // [1, C, h, w], unscaled.
  at::Tensor encode_for_latents(Job& job, double augmentation) const {
    auto picture =
        nn::picture_to_latent_range(diffusion::bytes_tensor(*job.request().picture), job.height(), job.width()).to(components_.device());
    picture = picture + job.normal(picture.sizes(), at::kFloat) * augmentation;
    return vae_->encode(picture.to(vae_->dtype())).mode().to(dtype());
  }

  at::Tensor decode(Job& job, const at::Tensor& latents, std::int64_t frames) const {
    const auto& config = vae_->config();
    const auto z = config.from_denoiser(latents.to(vae_->dtype()));
    const auto each = stable_diffusion::decode_bytes(config, job.height(), job.width(), z.element_size());
    const auto fit =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(settings().decode_bytes / std::max<std::uint64_t>(each, 1)), 1, frames);
    const std::int64_t chunk = job.request().decode_chunk.value_or(fit);
    std::vector<at::Tensor> parts;
    for (std::int64_t i = 0; i < frames; i += chunk) {
      if (i > 0) job.decoding(static_cast<double>(i) / static_cast<double>(frames));
      parts.push_back(vae_->decode(z.slice(0, i, std::min(i + chunk, frames)), 1).to(at::kCPU, at::kFloat));
    }
    return at::cat(parts);
  }

  nn::ImageProcessor processor_;
  std::shared_ptr<const clip::VisionModel> encoder_;
  std::shared_ptr<const UNet> unet_;
  std::shared_ptr<const TemporalVae> vae_;
};

}  // namespace

PipelineInfo describe(const ModelFiles& files) {
  PipelineInfo info;
  info.family = "svd";
  info.pipeline = files.index().text("_class_name", "");
  info.tasks = {Task::image_to_video};
  info.prompted = false;
  const auto unet = UNetConfig::read(files.config("unet"));
  info.size_multiple = std::max<std::int64_t>(8, VaeConfig::read(files.config("vae")).factor());
  info.width = 1024;
  info.height = 576;
  info.frames = std::min(unet.num_frames, kMaxFrames);
  info.max_frames = kMaxFrames;
  info.fps = 7;
  info.steps = 25;
  info.guidance_scale = 3.0;
  info.scheduler_config = diffusion::read_scheduler_config(files, false).json().dump();
  diffusion::make_scheduler(info, "");
  return info;
}

std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings) {
  return std::make_unique<StableVideoDiffusion>(files, settings);
}

}  // namespace kinora::models::svd
