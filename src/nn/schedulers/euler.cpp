// Euler steps along the probability-flow equation (arXiv:2206.00364); reference class EulerDiscreteScheduler.
#include <ATen/TensorOperators.h>

#include <cmath>

#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

class Euler final : public SigmaScheduler {
 public:
  explicit Euler(const JsonConfig& config)
      : SigmaScheduler(config, {"epsilon", "sample", "original_sample", "v_prediction"}),
        layout_(read_sigma_layout(config)),
        limits_(read_sigma_limits(config)),
        log_linear_(config.choice("interpolation_type", "linear", {"linear", "log_linear"}) == "log_linear"),
        continuous_(config.choice("timestep_type", "discrete", {"discrete", "continuous"}) == "continuous" &&
                    prediction_ == Prediction::v_prediction),
        ends_at_zero_(config.choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero") {}

  void plan(const StepPlan& plan) override {
    auto times = spread(plan.steps);
    Levels levels = train_levels(times);
    if (log_linear_) {
      const float low = std::log(train_.sigmas.front()), high = std::log(train_.sigmas.back());
      levels = lay_out(SigmaLayout::exponential, {std::exp(high), std::exp(low)}, {}, plan.steps + 1);
    }
    if (layout_ != SigmaLayout::given) {
      levels = lay_out(layout_, levels, limits_, plan.steps);
      const auto logs = logarithms(train_.sigmas);
      for (std::size_t i = 0; i < times.size(); ++i) times[i] = timestep_of(levels[i], logs);
    }
    levels.push_back(ends_at_zero_ ? 0.0 : train_.sigmas.front());
    set_levels(levels);
    timesteps_ = float_tensor(times);
    if (continuous_) timesteps_ = sigmas_.slice(0, 0, static_cast<std::int64_t>(levels.size()) - 1).log() * 0.25;
  }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions&) override {
    const auto x = sample.to(at::kFloat);
    const auto slope = (x - predict_clean(output, i, sample)) / sigma(i);
    return (x + slope * (sigma(i + 1) - sigma(i))).to(sample.scalar_type());
  }

 private:
  SigmaLayout layout_;
  SigmaLimits limits_;
  bool log_linear_, continuous_, ends_at_zero_;
};

}  // namespace

std::unique_ptr<Scheduler> make_euler(const JsonConfig& config) { return std::make_unique<Euler>(config); }

}  // namespace kinora::nn
