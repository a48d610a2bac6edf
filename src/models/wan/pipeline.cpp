#include "models/wan/pipeline.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>

#include <algorithm>

#include "models/clip/clip_load.hpp"
#include "models/diffusion/guidance.hpp"
#include "models/diffusion/memory.hpp"
#include "models/diffusion/pictures.hpp"
#include "models/loaded.hpp"
#include "models/single_file/video_layout.hpp"
#include "models/t5/text_stage.hpp"
#include "models/wan/describe.hpp"
#include "models/wan/given_frames.hpp"
#include "models/wan/transformer.hpp"
#include "models/wan/vae.hpp"
#include "nn/pixels/image_processor.hpp"
#include "nn/prompts/prompt_clean.hpp"

namespace kinora::models::wan {
namespace {

using diffusion::Job;

struct Expert {
  std::string component;
  std::vector<diffusion::Branch<Transformer>> branches;
  const diffusion::Branch<Transformer>& branch(std::size_t prompt) const { return branches[std::min(prompt, branches.size() - 1)]; }
};

// One prompt as the text encoder gives it, and how many of its rows are the prompt's.
struct Prompt {
  at::Tensor tokens;  // [1, S, text_width]
  std::int64_t real = 0;
};

class WanVideo final : public diffusion::DiffusionPipeline {
 public:
  WanVideo(const ModelFiles& files, const PipelineSettings& chosen)
      : DiffusionPipeline(describe(files), chosen, diffusion::choose_dtype(chosen, files.weights("transformer"))),
        layout_(read_layout(files)),
        text_(t5::load_text_stage(files, placement(dtype()), components_)) {
    if (files.has("image_encoder")) {
      processor_.emplace(nn::ImageProcessor::read(files.config("image_processor")));
      auto encoder = clip::load_vision_model(clip::VisionConfig::read(files.config("image_encoder")), files.weights("image_encoder"),
                                             placement(dtype()));
      image_encoder_ = encoder.model;
      components_.add("image_encoder", std::move(encoder.parameters));
    }
    for (const std::string name : {"transformer", "transformer_2"}) {
      if (!files.has(name)) continue;
      auto weights = single_file::wan_transformer(files.weights(name));
      // Some files carry a norm that no one uses.
      std::erase_if(weights.tensors, [](const auto& entry) { return entry.first.find("norm_added_q") != std::string::npos; });
      experts_.push_back(
          {.component = name, .branches = load_branches<Transformer>(name, weights, TransformerConfig::read(files.config(name)), kBlocks)});
    }
    auto vae = load_network<Vae>(single_file::wan_vae(files.weights("vae"), layout_.vae.layers), layout_.vae, placement(at::kFloat));
    vae_ = vae.model;
    components_.add("vae", std::move(vae.parameters));
  }

 protected:
  GenerationResult generate(Job& job) override {
    const auto& request = job.request();
    const bool from_picture = request.task == Task::image_to_video;
    const VideoSize size{.frames = request.frames.value_or(info().frames), .height = job.height(), .width = job.width()};
    const bool two = job.guides_any(), cached = request.step_cache.value_or(0) > 0;
    const bool apart = two && !settings().guidance_device.empty();
    require_memory(size, cached ? (two && !apart ? 4 : 2) : 0, apart);

    job.begin(Phase::encoding);
    components_.use({"text_encoder"});
    std::vector<Prompt> prompts{encode(request, request.prompts.front())};
    if (two) prompts.push_back(encode(request, request.negative_prompts.empty() ? "" : request.negative_prompts.front()));
    at::Tensor image_tokens, condition;
    if (from_picture) {
      image_tokens = encode_picture(request);
      components_.use({"vae"});
      condition = encode_frames(request, size);
    }

    diffusion::Denoising work;
    work.latents = job.normal({1, layout_.vae.latent_channels, layout_.vae.latent_frames(size.frames), size.height / layout_.vae.factor(),
                               size.width / layout_.vae.factor()},
                              at::kFloat);
    const auto input_of = [&](const at::Tensor& x) {
      if (!condition.defined()) return x;
      return layout_.expand_timesteps ? with_first(x, condition) : at::cat({x, condition}, 1);
    };
    std::size_t at_work = experts_.size();  // none
    std::vector<Transformer::Context> contexts;
    std::vector<video::StepCache> caches(cached ? prompts.size() : 0, video::StepCache(request.step_cache.value_or(0)));
    work.predict = [&](const at::Tensor& x, const at::Tensor& timestep) {
      const std::size_t wanted = expert_for(timestep);
      const auto& expert = experts_[wanted];
      if (wanted != at_work) {
        contexts.clear();
        components_.use({expert.component});
        for (std::size_t i = 0; i < prompts.size(); ++i) {
          const auto& branch = expert.branch(i);
          const auto picture = image_tokens.defined() ? image_tokens.to(branch.device) : image_tokens;
          contexts.push_back(branch.model->context(prompts[i].tokens.to(branch.device), picture, prompts[i].real, branch.before_block));
        }
        for (auto& cache : caches) cache.forget();
        at_work = wanted;
      }
      const auto input = input_of(x).to(dtype());
      const auto times = condition.defined() && layout_.expand_timesteps ? token_times(timestep, x) : timestep;
      const auto predicted = [&](std::size_t i) {
        const auto& branch = expert.branch(i);
        return branch.model
            ->forward(input.to(branch.device), times.to(branch.device), contexts[i], cached ? &caches[i] : nullptr, branch.before_block)
            .to(x.device(), at::kFloat);
      };
      if (!job.guides()) return predicted(0);
      const auto [with, without] = diffusion::both_branches(apart, predicted);
      const double scale = wanted == 0 ? job.guidance() : request.guidance_scale_2.value_or(job.guidance());
      return without + (with - without) * scale;
    };
    set_preview(work);
    auto latents = job.denoise(work);
    if (condition.defined() && layout_.expand_timesteps) latents = with_first(latents, condition);

    contexts.clear();
    job.begin(Phase::decoding);
    components_.use({"vae"});
    auto savings = savings_for(size);
    savings.progress = [&job](double part) { job.decoding(part); };
    const auto video = vae_->decode(layout_.vae.from_denoiser(latents.to(vae_->dtype())), savings);
    auto result = job.finish(video[0].transpose(0, 1));
    result.fps = request.fps.value_or(info().fps);
    if (request.guidance_scale_2 && experts_.size() < 2)
      result.notes.emplace_back("guidance_scale_2 is not used: the model has one expert");
    video::count(caches, result);
    return result;
  }

 private:
  Prompt encode(const GenerationRequest& request, const std::string& text) const {
    const auto length = static_cast<std::size_t>(request.max_sequence_length.value_or(layout_.prompt_tokens));
    const auto encoded = text_.encode({nn::clean_prompt(text)}, length, t5::Padding::zeroed);
    return {.tokens = encoded.tokens.to(dtype()), .real = encoded.mask.sum().item<std::int64_t>()};
  }

  // [1 or 2, 1 + patches, width], of the first and the last picture; undefined for models without picture tokens.
  at::Tensor encode_picture(const GenerationRequest& request) {
    if (!image_encoder_ || layout_.transformer.image_width == 0) return {};
    components_.use({"image_encoder"});
    std::vector<at::Tensor> pixels{(*processor_)(diffusion::bytes_tensor(*request.picture))};
    if (request.last_picture) pixels.push_back((*processor_)(diffusion::bytes_tensor(*request.last_picture)));
    // Of the last layer but one.
    const auto layers = image_encoder_->layers() - 1;
    return image_encoder_->hidden_states(at::cat(pixels).to(components_.device(), dtype()), layers).back();
  }

  at::Tensor encode_frames(const GenerationRequest& request, const VideoSize& size) const {
    const auto first = frame_of(*request.picture, size).to(components_.device());
    if (layout_.expand_timesteps) return given_first(*vae_, first);
    const auto last = request.last_picture ? frame_of(*request.last_picture, size).to(components_.device()) : at::Tensor();
    return given_channels(*vae_, first, last, size, savings_for(size));
  }

  // x with its first latent frame replaced.
  static at::Tensor with_first(const at::Tensor& x, const at::Tensor& first) { return at::cat({first, x.slice(2, 1)}, 2); }

  // [1, N]: 0 for the tokens of the first latent frame, the step's for the others.
  at::Tensor token_times(const at::Tensor& timestep, const at::Tensor& x) const {
    const auto& patch = layout_.transformer.patch;
    auto given = at::ones({x.size(2) / patch[0], x.size(3) / patch[1], x.size(4) / patch[2]}, x.options());
    given.select(0, 0).zero_();
    return given.flatten().mul(timestep.to(at::kFloat)).unsqueeze(0);
  }

  std::size_t expert_for(const at::Tensor& timestep) const {
    if (experts_.size() < 2) return 0;
    return timestep.item<double>() >= layout_.boundary * train_timesteps_ ? 0 : 1;
  }

  VaeSavings savings_for(const VideoSize& size) const {
    const auto one = std::max<std::uint64_t>(vae_->decode_bytes(size.height, size.width, 1), 1);
    const auto fit = static_cast<std::int64_t>(settings().decode_bytes / one);
    return {.frames_at_once = std::clamp<std::int64_t>(fit, 1, layout_.vae.latent_frames(size.frames)), .tiling = fit < 1};
  }

  // What a run takes beside the weights at its peak: a forward pass of the transformer with `kept` copies of the tokens beside it, or
  // decoding, and the finished video; on the device for guidance the pass alone.
  void require_memory(const VideoSize& size, std::int64_t kept, bool apart) const {
    const auto forward = forward_bytes(size, kept);
    const auto require = [&](const std::string& device, std::uint64_t bytes) {
      diffusion::require_memory(device, components(), settings().residency, bytes);
    };
    require(settings().device, std::max(forward, decode_bytes(size)));
    if (apart) require(settings().guidance_device, forward);
  }

  std::uint64_t forward_bytes(const VideoSize& size, std::int64_t kept) const {
    const auto& t = layout_.transformer;
    const std::int64_t side = layout_.vae.factor();
    const std::int64_t tokens = layout_.vae.latent_frames(size.frames) * (size.height / side) * (size.width / side) / t.patch_volume();
    // Input, norm and residual, then queries, keys and values before and after turning, or the feed-forward's inner width.
    const std::int64_t forward = tokens * ((3 + kept) * t.width() + std::max(6 * t.width(), t.ffn_width));
    return static_cast<std::uint64_t>(forward) * at::elementSize(dtype()) + components_.unpacked_bytes(dtype());
  }

  std::uint64_t decode_bytes(const VideoSize& size) const {
    const auto savings = savings_for(size);
    const std::int64_t tile = Vae::kTileSide;
    const auto decode =
        savings.tiling ? vae_->decode_bytes(tile, tile, 1) : vae_->decode_bytes(size.height, size.width, savings.frames_at_once);
    // The video itself: float32 as it is decoded, joined and cut, then bytes.
    const std::int64_t video = 3 * size.frames * size.height * size.width * (2 * 4 + 1);
    return decode + static_cast<std::uint64_t>(video);
  }

  void set_preview(diffusion::Denoising& work) const {
    const std::int64_t middle = work.latents.size(2) / 2;
    if (layout_.vae.latent_channels == 16 && layout_.vae.factor() == 8) {  // the VAE of Wan 2.1
      work.space = diffusion::LatentSpace::wan;
      work.preview_of = [middle](const at::Tensor& clean) { return clean[0].select(1, middle); };
    } else if (settings().residency == Residency::whole) {
      work.space = diffusion::LatentSpace::decoded;
      work.preview_of = [this, middle](const at::Tensor& clean) {
        return vae_->decode(layout_.vae.from_denoiser(clean.narrow(2, middle, 1).to(vae_->dtype())), {.tiling = true})[0].select(1, 0);
      };
    }
  }

  Layout layout_;
  t5::PromptEncoder text_;
  std::optional<nn::ImageProcessor> processor_;
  std::shared_ptr<const clip::VisionModel> image_encoder_;
  std::vector<Expert> experts_;
  std::shared_ptr<const Vae> vae_;
  static constexpr double train_timesteps_ = 1000;
};

}  // namespace

std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings) {
  return std::make_unique<WanVideo>(files, settings);
}

}  // namespace kinora::models::wan
