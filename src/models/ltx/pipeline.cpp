#include "models/ltx/pipeline.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "models/diffusion/guidance.hpp"
#include "models/diffusion/memory.hpp"
#include "models/diffusion/pictures.hpp"
#include "models/diffusion/scheduler_config.hpp"
#include "models/loaded.hpp"
#include "models/ltx/transformer.hpp"
#include "models/ltx/vae.hpp"
#include "models/single_file/video_layout.hpp"
#include "models/t5/text_stage.hpp"
#include "nn/load_error.hpp"
#include "nn/pixels/image_processor.hpp"

namespace kinora::models::ltx {
namespace {

using diffusion::Job;

constexpr std::int64_t kPromptTokens = 128, kMaxFrames = 513;

// Latents of a video [B, C, T, h, w] as tokens [B, N, C], and back.
at::Tensor packed(const at::Tensor& x) { return x.flatten(2).transpose(1, 2); }
at::Tensor unpacked(const at::Tensor& tokens, const std::array<std::int64_t, 3>& grid) {
  return tokens.transpose(1, 2).unflatten(2, {grid[0], grid[1], grid[2]});
}

Transformer::Context last_row(Transformer::Context context) {
  for (auto& block : context)
    for (auto* part : {&block.keys, &block.values, &block.bias})
      if (part->defined()) *part = part->narrow(0, part->size(0) - 1, 1);
  return context;
}

class LtxVideo final : public diffusion::DiffusionPipeline {
 public:
  LtxVideo(const ModelFiles& files, const PipelineSettings& chosen)
      : DiffusionPipeline(describe(files), chosen, diffusion::choose_dtype(chosen, files.weights("transformer"))),
        text_(t5::load_text_stage(files, placement(dtype()), components_)) {
    branches_ = load_branches<Transformer>("transformer", single_file::ltx_transformer(files.weights("transformer")),
                                           TransformerConfig::read(files.config("transformer")), kBlocks);
    auto vae = load_network<Vae>(single_file::ltx_vae(files.weights("vae")), VaeConfig::read(files.config("vae")),
                                 placement(dtype() == at::kHalf ? at::kFloat : dtype()));
    vae_ = vae.model;
    components_.add("vae", std::move(vae.parameters));
  }

 protected:
  GenerationResult generate(Job& job) override {
    const auto& request = job.request();
    const auto& sizes = vae_->config();
    const std::int64_t frames = request.frames.value_or(info().frames), fps = request.fps.value_or(info().fps);
    const std::array<std::int64_t, 3> grid{(frames - 1) / sizes.time_factor + 1, job.height() / sizes.factor, job.width() / sizes.factor};
    const bool two = job.guides_any(), cached = request.step_cache.value_or(0) > 0;
    // With guidance both predictions are one pass of two rows, or one of a row each on a device of its own; a step without is a pass of
    // one.
    const bool apart = two && branches_.size() > 1;
    require_memory({.frames = frames, .height = job.height(), .width = job.width()}, two && !apart ? 2 : 1, cached, apart);

    job.begin(Phase::encoding);
    components_.use({"text_encoder"});
    const auto prompts = encode_prompts(request, two);
    at::Tensor first;  // latents of the given picture
    if (request.task == Task::image_to_video) {
      components_.use({"vae"});
      first = encode_picture(job);
    }

    diffusion::Denoising work;
    auto latents = job.normal({1, sizes.latent_channels, grid[0], grid[1], grid[2]}, at::kFloat);
    if (first.defined()) latents = at::cat({first, latents.slice(2, 1)}, 2);
    work.latents = packed(latents);
    const std::int64_t given = first.defined() ? grid[1] * grid[2] : 0;  // tokens
    const double side = static_cast<double>(sizes.factor);
    const TokenGrid places{.count = grid, .scale = {static_cast<double>(sizes.time_factor) / static_cast<double>(fps), side, side}};
    plan(job, work.latents.size(1));
    std::vector<Pass> passes;   // of a guided step
    std::optional<Pass> plain;  // of another
    std::vector<video::StepCache> caches(cached ? 3 : 0, video::StepCache(request.step_cache.value_or(0)));
    work.predict = [&](const at::Tensor& x, const at::Tensor& timestep) {
      const auto run = [&](const Pass& pass, std::size_t cache) {
        const auto& branch = pass.branch;
        const auto input = pass.rows == 2 ? at::cat({x, x}).to(dtype()) : x.to(dtype());
        return branch.model
            ->forward(input.to(branch.device), times(timestep, x, given, pass.rows).to(branch.device), pass.context, pass.table,
                      cached ? &caches[cache] : nullptr, branch.before_block)
            .to(x.device(), at::kFloat);
      };
      at::Tensor output;
      if (!job.guides()) {
        output = run(*plain, 2);
      } else if (apart) {
        const auto [without, with] = diffusion::both_branches(true, [&](std::size_t i) { return run(passes[i], i); });
        output = at::cat({without, with});
      } else {
        output = run(passes[0], 0);
      }
      if (job.guides())
        output = diffusion::guided(output, at::full({}, job.guidance()).to(output.device()), request.guidance_rescale.value_or(0.0));
      // The given frame does not move.
      if (given > 0) output.narrow(1, 0, given).zero_();
      return output;
    };
    set_preview(work, grid);
    components_.use({"transformer"});
    const auto pass_of = [&](const diffusion::Branch<Transformer>& branch, std::int64_t row, std::int64_t rows) {
      const auto of_rows = [&](const at::Tensor& all) { return all.narrow(0, row, rows).to(branch.device); };
      return Pass{.branch = branch,
                  .table = rotary_table(places, branch.model->config().width(), branch.device),
                  .context = branch.model->context(of_rows(prompts.tokens), of_rows(prompts.mask), branch.before_block),
                  .rows = rows};
    };
    if (apart) {
      passes.push_back(pass_of(branches_[0], 0, 1));
      passes.push_back(pass_of(branches_[1], 1, 1));
    } else {
      passes.push_back(pass_of(branches_[0], 0, two ? 2 : 1));
    }
    plain.emplace(passes.back());
    plain->context = last_row(std::move(plain->context));
    plain->rows = 1;
    latents = unpacked(job.denoise(work), grid);
    passes.clear();
    plain.reset();
    job.begin(Phase::decoding);
    components_.use({"vae"});
    auto result = job.finish(decode(job, vae_->from_denoiser(latents).to(dtype()), frames)[0].transpose(0, 1));
    result.fps = fps;
    video::count(caches, result);
    return result;
  }

 private:
  struct Pass {
    const diffusion::Branch<Transformer>& branch;
    at::Tensor table;
    Transformer::Context context;
    std::int64_t rows;  // without the prompt, then with it; or one of them
  };
  struct VideoSize {
    std::int64_t frames, height, width;
  };

  // What a run takes beside the weights at its peak: a forward pass of the transformer, or decoding and the finished video; on the device
  // for guidance the pass alone.
  void require_memory(const VideoSize& size, std::int64_t rows, bool cached, bool apart) const {
    const auto [frames, height, width] = size;
    const auto& sizes = vae_->config();
    const std::int64_t tokens = ((frames - 1) / sizes.time_factor + 1) * (height / sizes.factor) * (width / sizes.factor);
    // Input, norm and residual, then queries, keys and values before and after turning (or the feed-forward, four times as wide).
    const auto forward = static_cast<std::uint64_t>(rows * tokens * (cached ? 11 : 9) * branches_.front().model->config().width()) *
                             at::elementSize(dtype()) +
                         components_.unpacked_bytes(dtype());
    const auto tile = Vae::kTileSide;
    const auto decode =
        std::min(vae_->decode_bytes(frames, height, width), std::max(settings().decode_bytes, vae_->decode_bytes(frames, tile, tile)));
    const auto require = [&](const std::string& device, std::uint64_t bytes) {
      diffusion::require_memory(device, components(), settings().residency, bytes);
    };
    require(settings().device, std::max(forward, decode + static_cast<std::uint64_t>(3 * frames * height * width * (2 * 4 + 1))));
    if (apart) require(settings().guidance_device, forward);
  }

  // With guidance the negative prompt is the first row.
  t5::PromptEmbeddings encode_prompts(const GenerationRequest& request, bool two) const {
    std::vector<std::string> texts{request.prompts.front()};
    if (two) texts.insert(texts.begin(), request.negative_prompts.empty() ? "" : request.negative_prompts.front());
    const auto length = static_cast<std::size_t>(request.max_sequence_length.value_or(kPromptTokens));
    auto encoded = text_.encode(texts, length, t5::Padding::attended);
    encoded.tokens = encoded.tokens.to(dtype());
    return encoded;
  }

  // [1, C, 1, h, w] float32: a draw from what the encoder says.
  at::Tensor encode_picture(Job& job) const {
    const auto picture = nn::picture_to_latent_range(diffusion::bytes_tensor(*job.request().picture), job.height(), job.width());
    const auto posterior = vae_->encode(picture.unsqueeze(2).to(components_.device(), vae_->dtype()));
    return vae_->to_denoiser(posterior.sample(job.normal(posterior.mean.sizes()).to(vae_->dtype())).to(at::kFloat));
  }

  void plan(Job& job, std::int64_t tokens) const {
    const nn::JsonConfig config = nn::JsonConfig::parse(info().scheduler_config, "scheduler_config.json");
    const double base = config.number("base_shift", 0.5), base_length = config.number("base_image_seq_len", 256);
    const double slope = (config.number("max_shift", 1.15) - base) / (config.number("max_image_seq_len", 4096) - base_length);
    std::vector<double> sigmas;
    const auto n = static_cast<double>(job.steps());
    sigmas.reserve(static_cast<std::size_t>(job.steps()));
    for (std::int64_t i = 0; i < job.steps(); ++i)
      sigmas.push_back(job.steps() == 1 ? 1.0 : 1.0 + (1 / n - 1.0) * static_cast<double>(i) / (n - 1));
    job.scheduler().plan({.steps = job.steps(), .sigmas = sigmas, .mu = base + slope * (static_cast<double>(tokens) - base_length)});
  }

  // For each token, 0 for the given ones, or one for all.
  static at::Tensor times(const at::Tensor& timestep, const at::Tensor& x, std::int64_t given, std::int64_t rows) {
    if (given == 0) return timestep.to(at::kFloat).flatten();
    auto each = at::ones({rows, x.size(1)}, x.options()).mul(timestep.to(at::kFloat));
    each.narrow(1, 0, given).zero_();
    return each;
  }

  at::Tensor decode(Job& job, at::Tensor latents, std::int64_t frames) const {
    const auto& request = job.request();
    Conditions conditions{.time = {}, .normal = [&job](at::IntArrayRef shape) { return job.normal(shape); }};
    if (vae_->config().timed) {
      const double time = request.decode_timestep.value_or(info().decode_timestep);
      const double share = request.decode_noise_scale.value_or(request.decode_timestep ? time : info().decode_noise_scale);
      latents = latents * (1 - share) + job.normal(latents.sizes()).to(latents.options()) * share;
      conditions.time = at::full({1}, time, latents.options());
    }
    const bool tiling = vae_->decode_bytes(frames, job.height(), job.width()) > settings().decode_bytes;
    return vae_->decode(latents.to(vae_->dtype()), conditions, tiling).to(at::kFloat);
  }

  void set_preview(diffusion::Denoising& work, const std::array<std::int64_t, 3>& grid) const {
    if (settings().residency != Residency::whole) return;
    work.space = diffusion::LatentSpace::decoded;
    work.preview_of = [this, grid](const at::Tensor& clean) {
      const auto middle = unpacked(clean, grid).narrow(2, grid[0] / 2, 1);
      const Conditions conditions{.time = at::full({1}, 0.05), .normal = [](at::IntArrayRef shape) { return at::zeros(shape); }};
      return vae_->decode(vae_->from_denoiser(middle).to(vae_->dtype()), conditions, true).to(at::kFloat)[0].select(1, 0);
    };
  }

  t5::PromptEncoder text_;
  std::vector<diffusion::Branch<Transformer>> branches_;
  std::shared_ptr<const Vae> vae_;
};

}  // namespace

PipelineInfo describe(const ModelFiles& files) {
  PipelineInfo info;
  info.family = "ltx";
  info.pipeline = files.index().text("_class_name", "");
  info.tasks = {Task::text_to_video, Task::image_to_video};
  const auto vae = VaeConfig::read(files.config("vae"));
  const auto transformer = files.config("transformer");
  if (TransformerConfig::read(transformer).in_channels != vae.latent_channels)
    transformer.refuse("in_channels", "must be " + std::to_string(vae.latent_channels) + ", the latents of its VAE");
  info.size_multiple = vae.factor;
  info.frame_multiple = vae.time_factor;
  info.max_frames = kMaxFrames;
  info.width = 704;
  info.height = 512;
  info.frames = 161;
  info.fps = 25;
  info.steps = 50;
  info.guidance_scale = 3.0;
  info.decode_timestep = 0.05;
  info.decode_noise_scale = 0.025;
  info.plans_by_size = true;
  info.scheduler_config = diffusion::read_scheduler_config(files, false).json().dump();
  diffusion::make_scheduler(info, "");
  return info;
}

std::unique_ptr<diffusion::DiffusionPipeline> load(const ModelFiles& files, const PipelineSettings& settings) {
  return std::make_unique<LtxVideo>(files, settings);
}

}  // namespace kinora::models::ltx
