// Euler steps that go below the next noise level and add fresh noise up to it; reference class EulerAncestralDiscreteScheduler.
#include <ATen/TensorOperators.h>

#include <cmath>

#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

class EulerAncestral final : public SigmaScheduler {
 public:
  explicit EulerAncestral(const JsonConfig& config) : SigmaScheduler(config, {"epsilon", "v_prediction"}) {}

  void plan(const StepPlan& plan) override {
    const auto times = spread(plan.steps);
    auto levels = train_levels(times);
    levels.push_back(0.0);
    set_levels(levels);
    timesteps_ = float_tensor(times);
  }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions& options) override {
    const float from = sigma(i), to = sigma(i + 1);
    const float up = std::sqrt(to * to * (from * from - to * to) / (from * from));
    const float down = std::sqrt(to * to - up * up);
    const auto x = sample.to(at::kFloat);
    const auto slope = (x - predict_clean(output, i, sample)) / from;
    // Drawn on the last step too, where it has no weight: the generator stays in step with the reference's.
    const auto noise = options.normal(output.sizes(), std::nullopt).to(at::kFloat);
    return (x + slope * (down - from) + noise * up).to(sample.scalar_type());
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_euler_ancestral(const JsonConfig& config) { return std::make_unique<EulerAncestral>(config); }

}  // namespace kinora::nn
