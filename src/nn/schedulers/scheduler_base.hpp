#pragma once
// What schedulers of one kind share. Internal to this folder.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/schedulers/noise_schedule.hpp"
#include "nn/schedulers/scheduler.hpp"
#include "nn/schedulers/sigma_schedule.hpp"

namespace kinora::nn {

at::Tensor whole_tensor(const std::vector<double>& values);  // int64; fractions are cut off, as a cast does
at::Tensor float_tensor(const std::vector<double>& values);  // float32

// Dynamic thresholding (arXiv:2205.11487): members thresholding, dynamic_thresholding_ratio, sample_max_value; else plain clipping
// by clip_sample and clip_sample_range where a class has these.
struct Clip {
  bool dynamic = false;
  double ratio = 0.995, max = 1.0;
  bool fixed = false;
  double range = 1.0;
  at::Tensor operator()(const at::Tensor& clean) const;
};
Clip read_clip(const JsonConfig& config, bool has_clip_sample, bool clip_sample_default);

// DDIM, PNDM, LCM, TCD: the sample is sqrt(a) x0 + sqrt(1 - a) noise, by timestep.
class AlphaScheduler : public Scheduler {
 public:
  at::Tensor predict_clean(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample) const override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise, std::int64_t i) const override;

 protected:
  AlphaScheduler(const JsonConfig& config, const BetaDefaults& defaults, bool alpha_one_default,
                 const std::vector<std::string_view>& predictions);
  std::int64_t timestep(std::int64_t i) const { return times_[static_cast<std::size_t>(i)]; }
  void set_times(const std::vector<double>& times);
  float alpha(std::int64_t t) const;  // before the first timestep: 1 or that of timestep 0 (set_alpha_to_one)
  at::Tensor clean(const at::Tensor& output, float alpha_t, const at::Tensor& sample) const;
  at::Tensor epsilon(const at::Tensor& output, float alpha_t, const at::Tensor& sample) const;  // output taken before any clipping

  NoiseSchedule train_;
  Prediction prediction_;
  float final_alpha_ = 1.0F;
  std::vector<std::int64_t> times_;
};

// Euler: the sample is x0 + sigma noise, by position in the plan.
class SigmaScheduler : public Scheduler {
 public:
  double init_noise_sigma() const override;
  at::Tensor scale_model_input(const at::Tensor& sample, std::int64_t i) const override;
  at::Tensor predict_clean(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample) const override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise, std::int64_t i) const override;

 protected:
  SigmaScheduler(const JsonConfig& config, const std::vector<std::string_view>& predictions);
  float sigma(std::int64_t i) const { return levels_[static_cast<std::size_t>(i)]; }
  void set_levels(const Levels& levels);
  std::vector<double> spread(std::int64_t steps) const;
  Levels train_levels(const std::vector<double>& times) const;  // by linear interpolation of the training schedule

  NoiseSchedule train_;
  Prediction prediction_;
  Spacing spacing_;
  std::int64_t offset_;
  std::vector<float> levels_;
};

// DPM-Solver and UniPC: the sample is alpha x0 + s noise with alpha^2 + s^2 = 1 (diffusion) or alpha = 1 - s (flow).
class SolverScheduler : public Scheduler {
 public:
  at::Tensor predict_clean(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample) const override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise, std::int64_t i) const override;

 protected:
  explicit SolverScheduler(const JsonConfig& config);
  struct Point {
    float alpha, sigma, lambda;  // lambda: log(alpha / sigma)
  };
  Point at_level(std::int64_t i) const;
  void set_plan(const Levels& sigmas, const std::vector<double>& times);
  std::vector<double> spread(std::int64_t steps, std::int64_t top) const;
  double last_level() const;  // "final_sigmas_type": 0 or the lowest of training
  at::Tensor noise_prediction(const at::Tensor& output, std::int64_t i, const at::Tensor& sample) const;

  NoiseSchedule train_;
  Prediction prediction_;
  Spacing spacing_;
  std::int64_t offset_;
  SigmaLayout layout_;
  Clip clip_;
  bool flow_, dynamic_shift_, ends_at_zero_, lower_order_final_;
  double flow_shift_;
  std::int64_t order_;
  std::vector<float> levels_;
};

std::unique_ptr<Scheduler> make_ddim(const JsonConfig& config);
std::unique_ptr<Scheduler> make_pndm(const JsonConfig& config);
std::unique_ptr<Scheduler> make_lcm(const JsonConfig& config);
std::unique_ptr<Scheduler> make_tcd(const JsonConfig& config);
std::unique_ptr<Scheduler> make_euler(const JsonConfig& config);
std::unique_ptr<Scheduler> make_euler_ancestral(const JsonConfig& config);
std::unique_ptr<Scheduler> make_flow_match_euler(const JsonConfig& config);
std::unique_ptr<Scheduler> make_dpm_solver(const JsonConfig& config);
std::unique_ptr<Scheduler> make_unipc(const JsonConfig& config);

}  // namespace kinora::nn
