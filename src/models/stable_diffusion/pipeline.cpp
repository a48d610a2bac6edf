#include "models/stable_diffusion/pipeline.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include "models/diffusion/guidance.hpp"
#include "models/diffusion/pictures.hpp"
#include "models/loaded.hpp"
#include "models/stable_diffusion/picture_decoder.hpp"
#include "models/stable_diffusion/text_stage.hpp"
#include "models/stable_diffusion/unet.hpp"
#include "models/stable_diffusion/vae.hpp"
#include "nn/pixels/image_processor.hpp"
#include "nn/pixels/interpolate.hpp"

namespace kinora::models::stable_diffusion {
namespace {

using diffusion::Job;

// What the UNet is told beside the latents: without the prompt, then with it, when guidance takes two passes.
struct Conditions {
  Conditioning unet;
  bool two = false;
};

class StableDiffusion final : public diffusion::DiffusionPipeline {
 public:
  StableDiffusion(const ModelFiles& files, const PipelineSettings& chosen)
      : DiffusionPipeline(describe(files), chosen, diffusion::choose_dtype(chosen, files.weights("unet"))) {
    text_ = load_text_stage(files, is_xl() ? clip::PromptFamily::sdxl : clip::PromptFamily::sd, placement(dtype()), components_);
    auto unet = load_network<UNet>(files.weights("unet"), UNetConfig::read(files.config("unet")), placement(dtype()));
    unet_ = unet.model;
    components_.add("unet", std::move(unet.parameters));
    const auto vae_config = VaeConfig::read(files.config("vae"));
    auto vae = load_network<Vae>(files.weights("vae"), vae_config, placement(vae_dtype(vae_config.force_upcast)));
    vae_ = vae.model;
    components_.add("vae", std::move(vae.parameters));
  }

 protected:
  GenerationResult generate(Job& job) override {
    job.begin(Phase::encoding);
    components_.use(text_.components);
    const auto encoded = text_.encode(job.request());
    diffusion::Denoising work;
    work.space = is_xl() ? diffusion::LatentSpace::sdxl : diffusion::LatentSpace::sd;
    work.preview_of = [](const at::Tensor& clean) { return clean[0]; };
    const auto size = output_size(job.request());
    at::Tensor extra;  // channels that an inpainting UNet takes beside the latents
    if (job.request().task == Task::text_to_image) {
      work.latents = job.normal(latent_shape(job, size)) * job.scheduler().init_noise_sigma();
    } else if (job.request().latents) {
      start_from_latents(job, work);
    } else if (job.request().task == Task::image_to_image) {
      start_from_picture(job, size, work);
    } else {
      start_inpainting(job, size, work, extra);
    }
    const auto conditions = conditions_of(job, encoded, size);
    work.predict = [&](const at::Tensor& scaled, const at::Tensor& timestep) { return predict(job, conditions, extra, scaled, timestep); };
    components_.use({"unet"});
    if (job.request().denoising_end) work.last = job.steps_before(*job.request().denoising_end);
    const auto latents = job.denoise(work);
    if (work.last.value_or(job.scheduler().size()) < job.scheduler().size()) return job.hand_over(latents);
    job.begin(Phase::decoding);
    components_.use({"vae"});
    return job.finish(decode_pictures(job, *vae_, latents, kMaxPictures, settings().decode_bytes));
  }

 private:
  bool is_xl() const { return info().family != "sd"; }

  std::int64_t pictures(const Job& job) const { return static_cast<std::int64_t>(job.request().prompts.size()) * job.request().count; }

  // Image-to-image keeps the picture's size, cut to whole latents.
  Size output_size(const GenerationRequest& request) const {
    if (request.latents)
      return {.height = request.latents->shape[2] * vae_->config().factor(), .width = request.latents->shape[3] * vae_->config().factor()};
    const auto side = [&](const std::optional<std::int64_t>& given, std::int64_t otherwise, std::int64_t of_picture) {
      if (given) return *given;
      return request.task == Task::image_to_image ? of_picture - of_picture % vae_->config().factor() : otherwise;
    };
    return {.height = side(request.height, info().height, request.picture ? request.picture->height : 0),
            .width = side(request.width, info().width, request.picture ? request.picture->width : 0)};
  }

  std::vector<std::int64_t> latent_shape(const Job& job, const Size& size) const {
    const auto factor = vae_->config().factor();
    return {pictures(job), vae_->config().latent_channels, size.height / factor, size.width / factor};
  }

  // Scaled latents of a picture in -1..1 [1, 3, H, W]: a draw from what the encoder says. rows 1, or one draw for each picture.
  at::Tensor encode_picture(Job& job, const at::Tensor& picture, std::int64_t rows) {
    components_.use({"vae"});
    const auto posterior = vae_->encode(picture.to(vae_->device(), vae_->dtype()));
    auto shape = posterior.mean.sizes().vec();
    shape[0] = rows;
    return vae_->config().to_denoiser(posterior.sample(job.normal(shape, vae_->dtype())));
  }

  at::Tensor request_picture(const Job& job, const Size& size) const {
    return nn::picture_to_latent_range(diffusion::bytes_tensor(*job.request().picture), size.height, size.width);
  }

  // Those of another SDXL, which has taken the steps before.
  void start_from_latents(const Job& job, diffusion::Denoising& work) const {
    const Latents& given = *job.request().latents;
    if (given.shape[1] != vae_->config().latent_channels)
      throw InvalidRequest(
          {"latents must have " + std::to_string(vae_->config().latent_channels) + " channels, not " + std::to_string(given.shape[1])});
    work.first = job.steps_before(*job.request().denoising_start);
    work.latents = at::tensor(given.values, at::kFloat).view(given.shape).to(components_.device());
  }

  void start_from_picture(Job& job, const Size& size, diffusion::Denoising& work) {
    work.first = job.first_step(job.request().strength.value_or(is_xl() ? 0.3 : 0.8));
    const auto rows = job.generators() > 1 ? pictures(job) : 1;
    const auto shape = latent_shape(job, size);
    const auto clean = encode_picture(job, request_picture(job, size), rows).to(at::kFloat).expand(shape);
    work.latents = job.scheduler().add_noise(clean, job.normal(shape), work.first);
  }

  // The masked part is generated; with a plain UNet the rest is put back after every step with its noise of that step, with an
  // inpainting UNet mask and masked picture are inputs.
  void start_inpainting(Job& job, const Size& size, diffusion::Denoising& work, at::Tensor& extra) {
    const double strength = job.request().strength.value_or(is_xl() ? 0.9999 : 1.0);
    work.first = job.first_step(strength);
    const auto picture = request_picture(job, size);
    const auto mask = nn::mask_from_picture(diffusion::bytes_tensor(*job.request().mask), size.height, size.width);
    const auto shape = latent_shape(job, size);
    const bool plain = unet_->config().in_channels == vae_->config().latent_channels;
    at::Tensor clean;
    if (plain || strength < 1) clean = encode_picture(job, picture, 1).to(at::kFloat).expand(shape);
    const auto noise = job.normal(shape).to(at::kFloat);
    work.latents = strength < 1 ? job.scheduler().add_noise(clean, noise, work.first) : noise * job.scheduler().init_noise_sigma();
    // Encoded for a plain UNet too, which does not look at it: the reference draws here, and its generator is to stay in step.
    const auto masked = encode_picture(job, picture * (mask < 0.5), 1);
    const auto small = nn::interpolate(mask, shape[2], shape[3], nn::Interpolation::nearest).to(components_.device());
    if (!plain) {
      extra = at::cat({small.to(dtype()), masked.to(dtype())}, 1).expand({pictures(job), -1, -1, -1});
      return;
    }
    work.after = [&job, clean, noise, small](const at::Tensor& x, std::int64_t step) {
      const auto kept = step + 1 < job.scheduler().size() ? job.scheduler().add_noise(clean, noise, step + 1) : clean;
      return kept * (1 - small) + x * small;
    };
  }

  // Time ids of SDXL: original size, crop, and target size or (refiner) aesthetic score.
  at::Tensor size_ids(const GenerationRequest& request, const Size& size, bool negative) const {
    const auto pick = [&](const std::optional<Size>& own, const std::optional<Size>& other, const Size& otherwise) {
      return negative && own ? *own : other.value_or(otherwise);
    };
    // The reference takes the negative sizes only when both are given.
    const bool given = request.negative_original_size && request.negative_target_size;
    const auto original = pick(given ? request.negative_original_size : std::nullopt, request.original_size, size);
    const auto target = pick(given ? request.negative_target_size : std::nullopt, request.target_size, size);
    const auto crop = given && negative ? request.negative_crop.value_or(Size{}) : request.crop.value_or(Size{});
    std::vector<double> ids{static_cast<double>(original.height), static_cast<double>(original.width), static_cast<double>(crop.height),
                            static_cast<double>(crop.width)};
    if (info().family == "sdxl-refiner") {
      ids.push_back(negative ? request.negative_aesthetic_score.value_or(2.5) : request.aesthetic_score.value_or(6.0));
    } else {
      ids.insert(ids.end(), {static_cast<double>(target.height), static_cast<double>(target.width)});
    }
    return at::tensor(ids, at::kDouble).unsqueeze(0).to(components_.device(), dtype());
  }

  Conditions conditions_of(const Job& job, const clip::EncodedPrompts& encoded, const Size& size) const {
    const auto& request = job.request();
    const auto count = pictures(job);
    const auto guidance = job.guidance();
    Conditions c{.unet = {}, .two = guidance > 1 && !info().guidance_embedded};
    const auto rows = [&](const at::Tensor& negative, const at::Tensor& positive) {
      const auto repeated = positive.repeat_interleave(request.count, 0);
      return (c.two ? at::cat({negative.repeat_interleave(request.count, 0), repeated}) : repeated).to(components_.device());
    };
    c.unet.context = rows(encoded.negative.tokens, encoded.positive.tokens);
    if (is_xl()) {
      c.unet.pooled_text = rows(encoded.negative.pooled, encoded.positive.pooled);
      const auto positive = size_ids(request, size, false).expand({count, -1});
      c.unet.size_ids = c.two ? at::cat({size_ids(request, size, true).expand({count, -1}), positive}) : positive;
    }
    if (info().guidance_embedded)
      c.unet.guidance =
          guidance_embedding(at::full({count}, guidance - 1), unet_->config().guidance_width).to(components_.device(), dtype());
    return c;
  }

  at::Tensor predict(const Job& job, const Conditions& conditions, const at::Tensor& extra, const at::Tensor& scaled,
                     const at::Tensor& timestep) const {
    auto input = scaled.to(dtype());
    if (extra.defined()) input = at::cat({input, extra}, 1);
    if (!conditions.two) return unet_->forward(input, timestep, conditions.unet);
    const auto both = unet_->forward(at::cat({input, input}), timestep, conditions.unet).to(at::kFloat);
    return diffusion::guided(both, at::full({}, job.guidance()).to(both.device()), job.request().guidance_rescale.value_or(0.0));
  }

  TextStage text_;
  std::shared_ptr<const UNet> unet_;
  std::shared_ptr<const Vae> vae_;
};

}  // namespace

std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings) {
  return std::make_unique<StableDiffusion>(files, settings);
}

}  // namespace kinora::models::stable_diffusion
