// DPM-Solver and DPM-Solver++ multistep, ordinary and stochastic (arXiv:2206.00927, arXiv:2211.01095); reference class
// DPMSolverMultistepScheduler. "DPM++ 2M" is solver_order 2 with algorithm_type dpmsolver++.
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

class DpmSolver final : public SolverScheduler {
 public:
  explicit DpmSolver(const JsonConfig& config) : SolverScheduler(config), limits_(read_sigma_limits(config)) {
    const auto algorithm =
        config.choice("algorithm_type", "dpmsolver++", {"dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++", "deis"});
    data_ = algorithm != "dpmsolver" && algorithm != "sde-dpmsolver";  // "deis" of another class's config means dpmsolver++
    stochastic_ = algorithm.starts_with("sde-");
    // bh1, bh2 and logrho come from the configs of other classes and mean midpoint.
    heun_ = config.choice("solver_type", "midpoint", {"midpoint", "heun", "logrho", "bh1", "bh2"}) == "heun";
    euler_at_final_ = config.flag("euler_at_final", false);
    lu_ = config.flag("use_lu_lambdas", false);
    rounds_ = config.text("beta_schedule", "linear") != "squaredcos_cap_v2";
    if (!data_ && ends_at_zero_) config.refuse("final_sigmas_type", "must be sigma_min with algorithm_type " + algorithm);
    if (!data_ && prediction_ == Prediction::flow_prediction)
      config.refuse("prediction_type", "flow_prediction needs algorithm_type dpmsolver++");
    if (!data_ && stochastic_ && order_ == 3) config.refuse("solver_order", "must be 1 or 2 with algorithm_type sde-dpmsolver");
    if (config.has("variance_type")) config.refuse("variance_type", "models that predict their variance are not supported: must be null");
    const double clip = config.extended("lambda_min_clipped", -std::numeric_limits<double>::infinity());
    for (const float a : train_.alphas_cumprod) last_time_ += std::log(std::sqrt(a)) - std::log(std::sqrt(1 - a)) >= clip ? 1 : 0;
    if (last_time_ < 2) config.refuse("lambda_min_clipped", "leaves no timesteps");
  }

  void plan(const StepPlan& plan) override {
    if (!plan.sigmas.empty()) throw std::invalid_argument("DPM-Solver takes a number of steps, not noise levels");
    auto times = spread(plan.steps, last_time_);
    Levels levels;
    const Levels ends{train_.sigmas.back(), train_.sigmas.front()};
    if (layout_ != SigmaLayout::given || lu_) {
      levels = layout_ == SigmaLayout::karras || !lu_ ? lay_out(layout_, ends, limits_, plan.steps)
                                                      : lay_out(SigmaLayout::exponential, ends, {}, plan.steps);
      const auto logs = logarithms(train_.sigmas);
      times.clear();
      const bool rounds = rounds_ && (layout_ == SigmaLayout::karras || lu_);
      for (const double level : levels) times.push_back(rounds ? std::nearbyint(timestep_of(level, logs)) : timestep_of(level, logs));
    } else if (flow_) {
      const auto n = static_cast<double>(train_.size), steps = static_cast<double>(plan.steps);
      for (std::int64_t i = plan.steps; i > 0; --i) levels.push_back(1 - (1 + static_cast<double>(i) * (1 / n - 1) / steps));
      shift_levels(levels, dynamic_shift_ && plan.mu ? std::exp(*plan.mu) : flow_shift_);
      times.clear();
      for (const double level : levels) times.push_back(level * n);
    } else {
      for (const double t : times) levels.push_back(interpolate(train_.sigmas, t));
    }
    levels.push_back(last_level());
    set_plan(levels, times);
    history_.clear();
  }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions& options) override {
    history_.push_back(convert(output, i, sample));
    if (static_cast<std::int64_t>(history_.size()) > order_) history_.erase(history_.begin());
    const std::int64_t left = size() - i;
    const bool few = lower_order_final_ && size() < 15;
    std::int64_t order = std::min(order_, static_cast<std::int64_t>(history_.size()));
    if (left == 1 && (euler_at_final_ || few || ends_at_zero_)) order = 1;
    if (left == 2 && few) order = std::min<std::int64_t>(order, 2);

    const auto w = weights(at_level(i + 1), at_level(i), order);
    auto x = sample.to(at::kFloat) * w.x + back(0) * w.d0;
    if (order > 1) {
      const float h = at_level(i + 1).lambda - at_level(i).lambda;
      const float r0 = (at_level(i).lambda - at_level(i - 1).lambda) / h;
      const auto slope0 = (back(0) - back(1)) / r0;
      if (order == 2) {
        x = x + slope0 * w.d1;
      } else {
        const float r1 = (at_level(i - 1).lambda - at_level(i - 2).lambda) / h;
        const auto slope1 = (back(1) - back(2)) / r1;
        x = x + (slope0 + (slope0 - slope1) * (r0 / (r0 + r1))) * w.d1 + (slope0 - slope1) * (1 / (r0 + r1)) * w.d2;
      }
    }
    if (stochastic_) x = x + options.normal(output.sizes(), at::kFloat).to(at::kFloat) * w.noise;
    return x.to(sample.scalar_type());
  }

 private:
  struct StepWeights {
    float x = 0, d0 = 0, d1 = 0, d2 = 0, noise = 0;  // of the sample, of the prediction and its first two differences
  };

  const at::Tensor& back(std::size_t n) const { return history_[history_.size() - 1 - n]; }

  // What the solver integrates: the clean sample (dpmsolver++) or the noise (dpmsolver).
  at::Tensor convert(const at::Tensor& output, std::int64_t i, const at::Tensor& sample) const {
    if (data_) return clip_.dynamic ? clip_(predict_clean(output, i, sample)) : predict_clean(output, i, sample);
    auto noise = noise_prediction(output, i, sample);
    if (!clip_.dynamic) return noise;
    const auto [alpha, sigma, lambda] = at_level(i);
    const auto x = sample.to(at::kFloat);
    return (x - clip_((x - noise * sigma) / alpha) * alpha) / sigma;
  }

  StepWeights weights(const Point& t, const Point& s, std::int64_t order) const {
    const float h = t.lambda - s.lambda;
    const bool second_midpoint = order == 2 && !heun_;
    StepWeights w;
    if (data_ && !stochastic_) {
      const float e = std::exp(-h) - 1;
      w = {.x = t.sigma / s.sigma, .d0 = -t.alpha * e};
      w.d1 = second_midpoint ? w.d0 / 2 : t.alpha * (e / h + 1);
      w.d2 = -t.alpha * ((e + h) / (h * h) - 0.5F);
    } else if (data_) {
      const float e = 1 - std::exp(-2 * h);
      w = {.x = t.sigma / s.sigma * std::exp(-h), .d0 = t.alpha * e, .noise = t.sigma * std::sqrt(1 - std::exp(-2 * h))};
      w.d1 = second_midpoint ? w.d0 / 2 : t.alpha * (e / (-2 * h) + 1);
      w.d2 = t.alpha * ((e - 2 * h) / (4 * h * h) - 0.5F);
    } else {
      const float e = std::exp(h) - 1, twice = stochastic_ ? 2.0F : 1.0F;
      w = {.x = t.alpha / s.alpha, .d0 = -twice * t.sigma * e};
      w.d1 = second_midpoint ? -(stochastic_ ? 1.0F : 0.5F) * t.sigma * e : -twice * t.sigma * (e / h - 1);
      w.d2 = -t.sigma * ((e - h) / (h * h) - 0.5F);
      if (stochastic_) w.noise = t.sigma * std::sqrt(std::exp(2 * h) - 1);
    }
    return w;
  }

  SigmaLimits limits_;
  bool data_, stochastic_, heun_, euler_at_final_, lu_, rounds_;
  std::int64_t last_time_ = 0;
  std::vector<at::Tensor> history_;  // newest last, at most order_
};

}  // namespace

std::unique_ptr<Scheduler> make_dpm_solver(const JsonConfig& config) { return std::make_unique<DpmSolver>(config); }

}  // namespace kinora::nn
