// Euler steps along a rectified flow (arXiv:2403.03206); reference class FlowMatchEulerDiscreteScheduler.
#include <ATen/TensorOperators.h>

#include <cmath>
#include <stdexcept>

#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

// The reference computes with levels that are given to it in float32. The rounding shows in the timesteps, whose sines the model sees.
void shift_in_float32(Levels& levels, float m) {
  for (double& level : levels) level = m / (m + (1.0F / static_cast<float>(level) - 1.0F));
}

void stretch_in_float32(Levels& levels, double terminal) {
  const float factor = (1.0F - static_cast<float>(levels.back())) / static_cast<float>(1 - terminal);
  for (double& level : levels) level = 1.0F - (1.0F - static_cast<float>(level)) / factor;
}

class FlowMatchEuler final : public Scheduler {
 public:
  explicit FlowMatchEuler(const JsonConfig& config)
      : train_(config.integer("num_train_timesteps", 1000, 2, kMaxTrainTimesteps)),
        shift_(config.number("shift", 1.0)),
        dynamic_(config.flag("use_dynamic_shifting", false)),
        invert_(config.flag("invert_sigmas", false)),
        stochastic_(config.flag("stochastic_sampling", false)),
        terminal_(config.number("shift_terminal", 0.0)),
        layout_(read_sigma_layout(config)),
        limits_(read_sigma_limits(config)),
        time_shift_(read_time_shift(config)) {
    if (shift_ <= 0) config.refuse("shift", "must be above 0");
    if (terminal_ < 0 || terminal_ >= 1) config.refuse("shift_terminal", "must be 0 or more and below 1");
    Levels ends{1.0, 1.0 / static_cast<double>(train_)};
    if (!dynamic_) shift_levels(ends, shift_);
    max_ = static_cast<float>(ends[0]);
    min_ = static_cast<float>(ends[1]);
  }

  void plan(const StepPlan& plan) override {
    const auto n = static_cast<double>(train_);
    Levels levels = plan.sigmas;
    if (levels.empty()) {
      check_steps(plan.steps, train_);
      // The ends were shifted when they were made: the lowest level is shifted twice. So it is in the reference.
      for (std::int64_t i = 0; i < plan.steps; ++i) {
        const double part = plan.steps == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(plan.steps - 1);
        levels.push_back((max_ * n + part * (min_ * n - max_ * n)) / n);
      }
    }
    for (const double level : levels)
      if (!(level > 0) || level > 1) throw std::invalid_argument("noise levels must be above 0 and at most 1");
    if (dynamic_ && !plan.mu)
      throw std::invalid_argument("this scheduler shifts by the size of the picture (use_dynamic_shifting): mu is needed");
    const bool given = !plan.sigmas.empty();
    if (dynamic_ && given) {
      shift_in_float32(levels, static_cast<float>(time_shift_ == TimeShift::exponential ? std::exp(*plan.mu) : *plan.mu));
    } else if (dynamic_) {
      shift_levels_by(levels, time_shift_, *plan.mu);
    } else {
      shift_levels(levels, shift_);
    }
    if (terminal_ > 0 && levels.back() < 1) given ? stretch_in_float32(levels, terminal_) : stretch_to_terminal(levels, terminal_);
    levels = lay_out(layout_, levels, limits_, static_cast<std::int64_t>(levels.size()));
    if (invert_)
      for (double& level : levels) level = 1 - level;
    timesteps_ = float_tensor(levels) * n;
    levels.push_back(invert_ ? 1.0 : 0.0);
    sigmas_ = float_tensor(levels);
    levels_.assign(levels.begin(), levels.end());
  }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions& options) override {
    const auto x = sample.to(at::kFloat), out = output.to(at::kFloat);
    const float from = sigma(i), to = sigma(i + 1);
    if (!stochastic_) return (x + out * (to - from)).to(sample.scalar_type());
    const auto noise = options.normal(sample.sizes(), at::kFloat).to(at::kFloat);
    return ((x - out * from) * (1 - to) + noise * to).to(sample.scalar_type());
  }

  at::Tensor predict_clean(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample) const override {
    return sample.to(at::kFloat) - model_output.to(at::kFloat) * sigma(i);
  }

  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise, std::int64_t i) const override {
    return (noise.to(at::kFloat) * sigma(i) + original.to(at::kFloat) * (1 - sigma(i))).to(original.scalar_type());
  }

 private:
  float sigma(std::int64_t i) const { return levels_[static_cast<std::size_t>(i)]; }

  std::int64_t train_;
  double shift_;
  bool dynamic_, invert_, stochastic_;
  double terminal_;  // 0: not stretched
  SigmaLayout layout_;
  SigmaLimits limits_;
  TimeShift time_shift_;
  double max_ = 1, min_ = 0;
  std::vector<float> levels_;
};

}  // namespace

std::unique_ptr<Scheduler> make_flow_match_euler(const JsonConfig& config) { return std::make_unique<FlowMatchEuler>(config); }

}  // namespace kinora::nn
