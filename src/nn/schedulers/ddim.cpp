// Denoising diffusion implicit models (arXiv:2010.02502); reference class DDIMScheduler.
#include <ATen/TensorOperators.h>

#include <cmath>

#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

class Ddim final : public AlphaScheduler {
 public:
  explicit Ddim(const JsonConfig& config)
      : AlphaScheduler(config, {}, true, {"epsilon", "sample", "v_prediction"}),
        clip_(read_clip(config, true, true)),
        spacing_(read_spacing(config, "leading")),
        offset_(config.integer("steps_offset", 0, 0, kMaxTrainTimesteps)) {}

  void plan(const StepPlan& plan) override {
    set_times(spread_timesteps({.spacing = spacing_, .train = train_.size, .steps = plan.steps, .offset = offset_}));
    stride_ = train_.size / plan.steps;
  }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions& options) override {
    const float a = alpha(timestep(i)), next = alpha(timestep(i) - stride_);
    const auto x0 = clip_(clean(output, a, sample));
    const float variance = (1 - next) / (1 - a) * (1 - a / next);
    const auto eta = static_cast<float>(options.eta.value_or(0.0));
    const float deviation = eta * std::sqrt(variance);
    auto x = x0 * std::sqrt(next) + epsilon(output, a, sample) * std::sqrt(1 - next - deviation * deviation);
    if (eta > 0) x = x + options.normal(output.sizes(), std::nullopt).to(at::kFloat) * deviation;
    return x.to(sample.scalar_type());
  }

 private:
  Clip clip_;
  Spacing spacing_;
  std::int64_t offset_, stride_ = 1;
};

}  // namespace

std::unique_ptr<Scheduler> make_ddim(const JsonConfig& config) { return std::make_unique<Ddim>(config); }

}  // namespace kinora::nn
