// Trajectory consistency distillation (arXiv:2402.19159); reference class TCDScheduler.
#include <ATen/TensorOperators.h>

#include <cmath>

#include "nn/schedulers/consistency.hpp"
#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

class Tcd final : public AlphaScheduler {
 public:
  explicit Tcd(const JsonConfig& config)
      : AlphaScheduler(config, {.start = 0.00085, .end = 0.012, .schedule = "scaled_linear"}, true, {"epsilon", "sample", "v_prediction"}) {
    const auto& json = config.json();  // an explicit null means every timestep here
    const bool all = json.contains("original_inference_steps") && json.at("original_inference_steps").is_null();
    origin_ = all ? 0 : config.integer("original_inference_steps", 50, 1, train_.size);
  }

  void plan(const StepPlan& plan) override { set_times(distilled_timesteps(train_.size, origin_, plan.steps)); }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions& options) override {
    const double eta = options.eta.value_or(0.3);
    const bool last = i + 1 == size();
    const std::int64_t next_time = last ? 0 : timestep(i + 1);
    // float32 as the reference: 1 - eta is rounded before the product.
    const auto s_time = static_cast<std::int64_t>(std::floor(static_cast<float>(1 - eta) * static_cast<float>(next_time)));
    const float a = alpha(timestep(i)), next = alpha(next_time), s = alpha(s_time);
    auto x = clean(output, a, sample) * std::sqrt(s) + epsilon(output, a, sample) * std::sqrt(1 - s);
    if (eta > 0 && !last)
      x = x * std::sqrt(next / s) + options.normal(output.sizes(), std::nullopt).to(at::kFloat) * std::sqrt(1 - next / s);
    return x.to(sample.scalar_type());
  }

 private:
  std::int64_t origin_ = 50;
};

}  // namespace

std::unique_ptr<Scheduler> make_tcd(const JsonConfig& config) { return std::make_unique<Tcd>(config); }

}  // namespace kinora::nn
