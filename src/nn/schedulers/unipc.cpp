// UniPC: a multistep predictor and a corrector that reuses the next step's model call (arXiv:2302.04867); reference class
// UniPCMultistepScheduler.
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

using Row = std::vector<double>;

// Solves the small dense system m x = b by elimination with pivoting.
Row solve(std::vector<Row> m, Row b) {
  const std::size_t n = b.size();
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < n; ++r)
      if (std::fabs(m[r][c]) > std::fabs(m[pivot][c])) pivot = r;
    std::swap(m[c], m[pivot]);
    std::swap(b[c], b[pivot]);
    for (std::size_t r = c + 1; r < n; ++r) {
      const double f = m[r][c] / m[c][c];
      for (std::size_t k = c; k < n; ++k) m[r][k] -= f * m[c][k];
      b[r] -= f * b[c];
    }
  }
  for (std::size_t c = n; c-- > 0;) {
    for (std::size_t k = c + 1; k < n; ++k) b[c] -= m[c][k] * b[k];
    b[c] /= m[c][c];
  }
  return b;
}

class UniPc final : public SolverScheduler {
 public:
  explicit UniPc(const JsonConfig& config)
      : SolverScheduler(config),
        limits_(read_sigma_limits(config)),
        time_shift_(read_time_shift(config)),
        predict_x0_(config.flag("predict_x0", true)),
        // midpoint, heun and logrho come from the configs of other classes and mean bh2.
        bh1_(config.choice("solver_type", "bh2", {"bh1", "bh2", "midpoint", "heun", "logrho"}) == "bh1"),
        terminal_(config.number("shift_terminal", 0.0)) {
    if (terminal_ < 0 || terminal_ >= 1) config.refuse("shift_terminal", "must be 0 or more and below 1");
    if (terminal_ > 0 && !flow_) config.refuse("shift_terminal", "needs use_flow_sigmas");
    if (!predict_x0_ && prediction_ == Prediction::flow_prediction) config.refuse("predict_x0", "must be true with flow_prediction");
    if (ends_at_zero_ && order_ > 1 && !lower_order_final_)
      config.refuse("lower_order_final", "must be true when final_sigmas_type is zero: the last step has no second order");
    if (config.has("solver_p")) config.refuse("solver_p", "another scheduler as predictor is not supported: must be null");
    if (config.json().contains("disable_corrector") && !config.json().at("disable_corrector").empty())
      for (const std::int64_t i : config.integers("disable_corrector", {}, 0, kMaxTrainTimesteps)) uncorrected_.insert(i);
  }

  void plan(const StepPlan& plan) override {
    if (!plan.sigmas.empty() && (!flow_ || layout_ != SigmaLayout::given))
      throw std::invalid_argument("noise levels can be given only to a flow schedule (use_flow_sigmas without another layout)");
    const std::int64_t steps = plan.sigmas.empty() ? plan.steps : static_cast<std::int64_t>(plan.sigmas.size());
    auto times = spread(steps, 0);
    const auto n = static_cast<double>(train_.size);
    Levels levels;
    double last = last_level();
    if (layout_ != SigmaLayout::given) {
      const auto logs = logarithms(train_.sigmas);
      levels = lay_out(layout_, {train_.sigmas.back(), train_.sigmas.front()}, limits_, steps);
      const bool karras = layout_ == SigmaLayout::karras;
      times.clear();
      for (double& level : levels) {
        if (karras && flow_) level = level / (level + 1);
        times.push_back(!karras ? timestep_of(level, logs) : flow_ ? level * n : std::nearbyint(timestep_of(level, logs)));
      }
      if (!ends_at_zero_) last = levels.back();
    } else if (flow_) {
      levels = flow_levels(plan, steps);
      times.clear();
      for (const double level : levels) times.push_back(level * n);
      if (!ends_at_zero_) last = levels.back();
    } else {
      for (const double t : times) levels.push_back(interpolate(train_.sigmas, t));
    }
    levels.push_back(last);
    set_plan(levels, times);
    history_.clear();
    from_ = at::Tensor();
    order_now_ = 0;
  }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions&) override {
    const auto now = convert(output, i, sample);
    auto x = sample.to(at::kFloat);
    if (from_.defined() && i > 0 && !uncorrected_.contains(i - 1)) x = transfer(from_, i, i - 1, order_now_, &now);
    history_.push_back(now);
    if (static_cast<std::int64_t>(history_.size()) > order_) history_.erase(history_.begin());
    order_now_ = std::min(order_, static_cast<std::int64_t>(history_.size()));
    if (lower_order_final_) order_now_ = std::min(order_now_, size() - i);
    from_ = x;
    return transfer(x, i + 1, i, order_now_, nullptr).to(sample.scalar_type());
  }

 private:
  Levels flow_levels(const StepPlan& plan, std::int64_t steps) const {
    Levels levels = plan.sigmas;
    const auto n = static_cast<double>(train_.size);
    if (levels.empty())
      for (std::int64_t i = 0; i < steps; ++i) levels.push_back(1 + static_cast<double>(i) * ((1 / n - 1) / static_cast<double>(steps)));
    for (const double level : levels)
      if (!(level > 0) || level > 1) throw std::invalid_argument("noise levels must be above 0 and at most 1");
    if (dynamic_shift_ && !plan.mu)
      throw std::invalid_argument("this scheduler shifts by the size of the picture (use_dynamic_shifting): mu is needed");
    if (dynamic_shift_) {
      shift_levels_by(levels, time_shift_, *plan.mu);
    } else {
      shift_levels(levels, flow_shift_);
    }
    if (terminal_ > 0 && levels.back() < 1) stretch_to_terminal(levels, terminal_);
    if (std::fabs(levels.front() - 1) < 1e-6) levels.front() -= 1e-6;  // at 1 the signal would be 0 and its logarithm infinite
    return levels;
  }

  at::Tensor convert(const at::Tensor& output, std::int64_t i, const at::Tensor& sample) const {
    if (!predict_x0_) return noise_prediction(output, i, sample);
    const auto x0 = predict_clean(output, i, sample);
    return clip_.dynamic ? clip_(x0) : x0;
  }

  // From level s to level t with the model outputs at s and `order` - 1 levels before it; the corrector knows that at t too.
  at::Tensor transfer(const at::Tensor& x, std::int64_t t_index, std::int64_t s_index, std::int64_t order, const at::Tensor* at_t) const {
    const Point t = at_level(t_index), s = at_level(s_index);
    const float h = t.lambda - s.lambda, hh = predict_x0_ ? -h : h;
    const float phi1 = std::expm1(hh), b_h = bh1_ ? hh : phi1;
    const auto& m0 = history_.back();
    Row ratios;
    std::vector<at::Tensor> slopes;
    for (std::int64_t k = 1; k < order; ++k) {
      const float r = (at_level(s_index - k).lambda - s.lambda) / h;
      ratios.push_back(r);
      slopes.push_back((history_[history_.size() - 1 - static_cast<std::size_t>(k)] - m0) / r);
    }
    if (at_t != nullptr) {
      ratios.push_back(1);
      slopes.push_back(*at_t - m0);
    }
    const float scale = predict_x0_ ? t.alpha : t.sigma;
    auto result = x * (predict_x0_ ? t.sigma / s.sigma : t.alpha / s.alpha) - m0 * (scale * phi1);
    if (ratios.empty()) return result;
    const Row weights = ratios.size() == 1 ? Row{0.5} : solve_weights(ratios, hh, b_h);
    auto sum = slopes[0] * static_cast<float>(weights[0]);
    for (std::size_t k = 1; k < slopes.size(); ++k) sum = sum + slopes[k] * static_cast<float>(weights[k]);
    return result - sum * (scale * b_h);
  }

  // R rho = b of the paper: rows are powers of the ratios, b the phi functions of h over B(h).
  static Row solve_weights(const Row& ratios, double hh, double b_h) {
    std::vector<Row> matrix;
    Row b;
    double phi = std::expm1(hh) / hh - 1, factorial = 1;
    for (std::size_t i = 1; i <= ratios.size(); ++i) {
      Row powers;
      for (const double r : ratios) powers.push_back(std::pow(r, static_cast<double>(i - 1)));
      matrix.push_back(powers);
      b.push_back(phi * factorial / b_h);
      factorial *= static_cast<double>(i + 1);
      phi = phi / hh - 1 / factorial;
    }
    return solve(std::move(matrix), std::move(b));
  }

  SigmaLimits limits_;
  TimeShift time_shift_;
  bool predict_x0_, bh1_;
  double terminal_;  // 0: not stretched
  std::set<std::int64_t> uncorrected_;
  std::vector<at::Tensor> history_;  // newest last, at most order_
  at::Tensor from_;                  // the sample before the last predictor
  std::int64_t order_now_ = 0;       // of the last predictor
};

}  // namespace

std::unique_ptr<Scheduler> make_unipc(const JsonConfig& config) { return std::make_unique<UniPc>(config); }

}  // namespace kinora::nn
