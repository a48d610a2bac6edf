#include "models/diffusion/job.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>

#include "models/diffusion/normal_source.hpp"
#include "models/diffusion/pictures.hpp"
#include "models/diffusion/scheduler_config.hpp"

namespace kinora::models::diffusion {
namespace {

// Shares of a run's time, for the progress; the denoising takes nearly all of it.
constexpr double kEncoded = 0.02, kDenoised = 0.92;

double& seconds_of(GenerationResult& result, Phase phase) {
  return phase == Phase::encoding ? result.encoding_s : phase == Phase::denoising ? result.denoising_s : result.decoding_s;
}

}  // namespace

Job::Job(const GenerationRequest& request, const PipelineInfo& info, const GenerationWatch& watch, const Trace& trace, c10::Device device,
         at::ScalarType dtype)
    : request_(request),
      info_(info),
      watch_(watch),
      trace_(trace),
      device_(device),
      dtype_(dtype),
      seeds_(request.seeds.empty() ? std::vector{random_seed()} : request.seeds),
      draw_(make_normal()),
      scheduler_(make_scheduler(info, request.scheduler)) {
  // A plan that depends on the size is made again by the pipeline, which knows it.
  scheduler_->plan({.steps = steps(), .mu = info.plans_by_size ? std::optional(0.0) : std::nullopt});
  result_.seeds = seeds_;
}

nn::Normal Job::make_normal() {
  if (trace_.normal) return trace_.normal;
  return [source = std::make_shared<NormalSource>(seeds_), dtype = dtype_](at::IntArrayRef shape, std::optional<at::ScalarType> wanted) {
    return source->draw(shape, wanted.value_or(dtype));
  };
}

std::int64_t Job::first_step(double strength) const {
  const auto taken = static_cast<std::int64_t>(static_cast<double>(steps()) * strength);
  return std::max<std::int64_t>(steps() - taken, 0);
}

std::pair<std::int64_t, std::int64_t> Job::guided_steps() const {
  if (guidance() <= 1) return {0, 0};
  const auto step_at = [this](double share) { return static_cast<std::int64_t>(share * static_cast<double>(steps())); };
  return {step_at(request_.guidance_start.value_or(info_.guidance_start)), step_at(request_.guidance_end.value_or(info_.guidance_end))};
}

bool Job::guides_any() const {
  const auto [first, end] = guided_steps();
  return first < end;
}

bool Job::guides() const {
  const auto [first, end] = guided_steps();
  return first <= step_ && step_ < end;
}

std::int64_t Job::steps_before(double share) const { return diffusion::steps_before(share, *scheduler_, info_); }

at::Tensor Job::normal(at::IntArrayRef shape, std::optional<at::ScalarType> dtype) { return draw_(shape, dtype).to(device_); }

void Job::report(GenerationProgress progress) {
  progress.phase = *phase_;
  if (watch_ && !watch_(progress)) throw Stopped();
}

void Job::begin(Phase phase) {
  const auto now = std::chrono::steady_clock::now();
  if (phase_) seconds_of(result_, *phase_) = std::chrono::duration<double>(now - began_).count();
  phase_ = phase;
  began_ = now;
  report({.done = phase == Phase::encoding ? 0 : phase == Phase::denoising ? kEncoded : kDenoised});
}

void Job::decoding(double part) { report({.done = kDenoised + (1 - kDenoised) * part}); }

at::Tensor Job::denoise(const Denoising& work) {
  begin(Phase::denoising);
  const nn::StepOptions options{
      .normal = [this](at::IntArrayRef shape, std::optional<at::ScalarType> dtype) { return normal(shape, dtype); },
      .eta = request_.eta.value_or(0.0)};
  const auto times = scheduler_->timesteps().to(device_);
  const std::int64_t last = work.last.value_or(scheduler_->size()), steps = last - work.first;
  auto x = work.latents.to(at::kFloat);
  for (std::int64_t i = work.first; i < last; ++i) {
    const std::int64_t done = i - work.first + 1;
    step_ = i;
    const auto output = work.predict(scheduler_->scale_model_input(x, i), times[i]).to(at::kFloat);
    RgbPicture small;
    const bool shows = request_.preview_every > 0 && (done % request_.preview_every == 0 || done == steps) && work.preview_of;
    if (shows) small = preview(work.space, work.preview_of(scheduler_->predict_clean(output, i, x)));
    x = scheduler_->step(output, i, x, options);
    if (work.after) x = work.after(x, i);
    // The sum is finite only if every value is.
    if (!at::isfinite(x.sum()).item<bool>()) throw NotFiniteAtStep(done, steps);
    if (trace_.latents) trace_.latents(x);
    report({.step = done,
            .steps = steps,
            .done = kEncoded + (kDenoised - kEncoded) * static_cast<double>(done) / static_cast<double>(steps),
            .preview = shows ? &small : nullptr});
  }
  return x;
}

GenerationResult Job::finish(const at::Tensor& decoded) {
  if (trace_.decoded) trace_.decoded(decoded);
  if (!at::isfinite(decoded.sum(at::kFloat)).item<bool>()) throw NotFinite();
  result_.pictures = to_pictures(decoded);
  return finished();
}

GenerationResult Job::hand_over(const at::Tensor& latents) {
  const auto values = latents.to(at::kCPU, at::kFloat).contiguous();
  const auto* first = static_cast<const float*>(values.const_data_ptr());
  result_.latents = std::make_shared<Latents>(Latents{values.sizes().vec(), {first, first + values.numel()}});
  return finished();
}

GenerationResult Job::finished() {
  seconds_of(result_, *phase_) = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  return std::move(result_);
}

}  // namespace kinora::models::diffusion
