// Latent consistency models (arXiv:2310.04378); reference class LCMScheduler.
#include <ATen/TensorOperators.h>

#include <cmath>

#include "nn/schedulers/consistency.hpp"
#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {

std::vector<double> distilled_timesteps(std::int64_t train, std::int64_t origin, std::int64_t steps) {
  const std::int64_t count = origin == 0 ? train : origin, stride = train / count;
  check_steps(steps, count);
  std::vector<double> times;
  for (std::int64_t i = 0; i < steps; ++i) {
    const auto index = static_cast<std::int64_t>(static_cast<double>(i) * (static_cast<double>(count) / static_cast<double>(steps)));
    times.push_back(static_cast<double>((count - index) * stride - 1));
  }
  return times;
}

namespace {

class Lcm final : public AlphaScheduler {
 public:
  explicit Lcm(const JsonConfig& config)
      : AlphaScheduler(config, {.start = 0.00085, .end = 0.012, .schedule = "scaled_linear"}, true, {"epsilon", "sample", "v_prediction"}),
        clip_(read_clip(config, true, false)),
        origin_(config.integer("original_inference_steps", 50, 1, train_.size)),
        scaling_(config.number("timestep_scaling", 10.0)) {}

  void plan(const StepPlan& plan) override { set_times(distilled_timesteps(train_.size, origin_, plan.steps)); }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions& options) override {
    const auto x0 = clip_(clean(output, alpha(timestep(i)), sample));
    // Boundary condition: at t = 0 the result is the sample itself. Deviation of the data 0.5.
    const double t = static_cast<double>(timestep(i)) * scaling_, scale = t * t + 0.25;
    const auto c_skip = static_cast<float>(0.25 / scale), c_out = static_cast<float>(t / std::sqrt(scale));
    auto x = x0 * c_out + sample.to(at::kFloat) * c_skip;
    if (i + 1 < size()) {
      const float next = alpha(timestep(i + 1));
      x = x * std::sqrt(next) + options.normal(output.sizes(), std::nullopt).to(at::kFloat) * std::sqrt(1 - next);
    }
    return x.to(sample.scalar_type());
  }

 private:
  Clip clip_;
  std::int64_t origin_;
  double scaling_;
};

}  // namespace

std::unique_ptr<Scheduler> make_lcm(const JsonConfig& config) { return std::make_unique<Lcm>(config); }

}  // namespace kinora::nn
