#pragma once
// One run of a diffusion pipeline: its request with the defaults filled in, the noise, the scheduler, the progress and the denoising loop.
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "models/diffusion/preview.hpp"
#include "models/pipeline.hpp"
#include "nn/schedulers/scheduler.hpp"

namespace kinora::models::diffusion {

// What a test may look at and replace; empty in service.
struct Trace {
  nn::Normal normal{};                               // instead of the seeds' noise
  std::function<void(const at::Tensor&)> latents{};  // after every step, float32
  std::function<void(const at::Tensor&)> decoded{};  // the VAE's result, [N, 3, H, W] about -1..1
};

// The latents to start from and what to do with them in every step. Latents are float32 from step to step, whatever the model's type.
struct Denoising {
  at::Tensor latents;
  std::int64_t first = 0;              // step to begin with
  std::optional<std::int64_t> last{};  // step to end before; absent: all are taken
  // The (guided) prediction for scaled latents.
  std::function<at::Tensor(const at::Tensor& scaled, const at::Tensor& timestep)> predict;
  std::function<at::Tensor(const at::Tensor& latents, std::int64_t step)> after{};  // changes the latents after a step (inpainting)
  LatentSpace space = LatentSpace::sd;
  std::function<at::Tensor(const at::Tensor& clean)> preview_of{};  // the latents [4, h, w] to show of all
};

class Job {
 public:
  Job(const GenerationRequest& request, const PipelineInfo& info, const GenerationWatch& watch, const Trace& trace, c10::Device device,
      at::ScalarType dtype);

  const GenerationRequest& request() const { return request_; }
  std::int64_t steps() const { return request_.steps.value_or(info_.steps); }
  std::int64_t height() const { return request_.height.value_or(info_.height); }
  std::int64_t width() const { return request_.width.value_or(info_.width); }
  double guidance() const { return request_.guidance_scale.value_or(info_.guidance_scale); }
  // Whether a step, or the one that is being predicted, is guided: both predictions are needed.
  bool guides_any() const;
  bool guides() const;
  nn::Scheduler& scheduler() { return *scheduler_; }  // planned
  // The first step of image-to-image: the last `strength` of the steps are taken.
  std::int64_t first_step(double strength) const;
  // Where GenerationRequest::denoising_start and denoising_end cut the steps.
  std::int64_t steps_before(double share) const;

  // Noise of the pipeline's type (float32 for `dtype` given), on the device.
  at::Tensor normal(at::IntArrayRef shape, std::optional<at::ScalarType> dtype = std::nullopt);
  std::size_t generators() const { return seeds_.size(); }

  void begin(Phase phase);                                // throws Stopped
  void decoding(double part);                             // 0..1 of it; throws Stopped
  at::Tensor denoise(const Denoising& work);              // throws Stopped, NotFiniteAtStep
  GenerationResult finish(const at::Tensor& decoded);     // throws NotFinite
  GenerationResult hand_over(const at::Tensor& latents);  // undecoded

 private:
  GenerationResult finished();
  void report(GenerationProgress progress);
  nn::Normal make_normal();
  std::pair<std::int64_t, std::int64_t> guided_steps() const;  // the first and the one behind the last

  GenerationRequest request_;
  const PipelineInfo& info_;
  const GenerationWatch& watch_;
  const Trace& trace_;
  c10::Device device_;
  at::ScalarType dtype_;
  std::vector<std::uint64_t> seeds_;
  nn::Normal draw_;
  std::unique_ptr<nn::Scheduler> scheduler_;
  GenerationResult result_;
  std::int64_t step_ = 0;  // being predicted
  std::optional<Phase> phase_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace kinora::models::diffusion
