// Pseudo numerical methods (arXiv:2202.09778): linear multistep, begun with Runge-Kutta steps or, as Stable Diffusion does
// (skip_prk_steps), with a repeated second step; reference class PNDMScheduler.
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "nn/schedulers/scheduler_base.hpp"

namespace kinora::nn {
namespace {

class Pndm final : public AlphaScheduler {
 public:
  explicit Pndm(const JsonConfig& config)
      : AlphaScheduler(config, {}, false, {"epsilon", "v_prediction"}),
        spacing_(read_spacing(config, "leading")),
        offset_(config.integer("steps_offset", 0, 0, kMaxTrainTimesteps)),
        skip_prk_(config.flag("skip_prk_steps", false)) {}

  void plan(const StepPlan& plan) override {
    auto times = spread_timesteps({.spacing = spacing_, .train = train_.size, .steps = plan.steps, .offset = offset_});
    stride_ = train_.size / plan.steps;
    history_.clear();
    calls_ = 0;
    prk_times_.clear();
    if (skip_prk_) {
      if (times.size() > 1) times.insert(times.begin() + 1, times[1]);
    } else {
      times = with_runge_kutta(times);
    }
    set_times(times);
  }

  at::Tensor step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample, const StepOptions&) override {
    const auto out = output.to(at::kFloat), x = sample.to(at::kFloat);
    const auto next =
        calls_ < static_cast<std::int64_t>(prk_times_.size()) ? runge_kutta(out, timestep(i), x) : multistep(out, timestep(i), x);
    ++calls_;
    return next.to(sample.scalar_type());
  }

 private:
  // The four highest timesteps t are replaced by t and t - half a stride, so that four model calls make one Runge-Kutta step.
  std::vector<double> with_runge_kutta(const std::vector<double>& times) {
    if (times.size() < 4) throw std::invalid_argument("PNDM with Runge-Kutta steps (skip_prk_steps false) needs at least 4 steps");
    const auto half_stride = stride_ / 2;
    std::vector<double> halves;  // rising
    for (int k = 3; k >= 0; --k) {
      halves.push_back(times[static_cast<std::size_t>(k)]);
      halves.push_back(times[static_cast<std::size_t>(k)] + static_cast<double>(half_stride));
    }
    halves.pop_back();
    std::vector<double> twice;
    for (const double t : halves) twice.insert(twice.end(), 2, t);
    prk_times_.assign(twice.rbegin() + 1, twice.rend() - 1);
    if (prk_times_.front() >= static_cast<double>(train_.size))
      throw std::invalid_argument("too few timesteps for PNDM: ask for fewer steps");
    auto all = prk_times_;
    all.insert(all.end(), times.begin() + 3, times.end());
    return all;
  }

  at::Tensor runge_kutta(const at::Tensor& output, std::int64_t time, const at::Tensor& sample) {
    const std::int64_t phase = calls_ % 4;
    const std::int64_t next = time - (calls_ % 2 == 1 ? 0 : stride_ / 2);
    const auto from = static_cast<std::int64_t>(prk_times_[static_cast<std::size_t>(calls_ / 4 * 4)]);
    auto slope = output;
    if (phase == 0) {
      sum_ = output / 6;
      history_.push_back(output);
      start_ = sample;
    } else if (phase < 3) {
      sum_ = sum_ + output / 3;
    } else {
      slope = sum_ + output / 6;
    }
    return transfer(start_, from, next, slope);
  }

  at::Tensor multistep(const at::Tensor& output, std::int64_t time, const at::Tensor& sample) {
    std::int64_t next = time - stride_;
    auto x = sample;
    const bool repeat = calls_ == 1;  // the second call does the first step again with both slopes
    if (!repeat) {
      if (history_.size() > 3) history_.erase(history_.begin(), history_.end() - 3);
      history_.push_back(output);
    } else {
      next = time;
      time += stride_;
    }
    const auto e = [this](std::size_t back) { return history_[history_.size() - back]; };
    at::Tensor slope;
    if (history_.size() == 1) {
      slope = repeat ? (output + e(1)) / 2 : output;
      if (repeat) x = start_;
      start_ = sample;
    } else if (history_.size() == 2) {
      slope = (e(1) * 3 - e(2)) / 2;
    } else if (history_.size() == 3) {
      slope = (e(1) * 23 - e(2) * 16 + e(3) * 5) / 12;
    } else {
      slope = (e(1) * 55 - e(2) * 59 + e(3) * 37 - e(4) * 9) * (1.0 / 24);
    }
    return transfer(x, time, next, slope);
  }

  // Formula (9) of the paper.
  at::Tensor transfer(const at::Tensor& sample, std::int64_t time, std::int64_t next_time, const at::Tensor& output) const {
    const float a = alpha(time), next = alpha(next_time);
    const float b = 1 - a, next_b = 1 - next;
    const auto slope = epsilon(output, a, sample);
    const float denominator = a * std::sqrt(next_b) + std::sqrt(a * b * next);
    return sample * std::sqrt(next / a) - slope * (next - a) / denominator;
  }

  Spacing spacing_;
  std::int64_t offset_, stride_ = 1, calls_ = 0;
  bool skip_prk_;
  std::vector<double> prk_times_;
  std::vector<at::Tensor> history_;  // of model outputs, newest last
  at::Tensor start_, sum_;
};

}  // namespace

std::unique_ptr<Scheduler> make_pndm(const JsonConfig& config) { return std::make_unique<Pndm>(config); }

}  // namespace kinora::nn
