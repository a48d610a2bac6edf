#include "nn/schedulers/scheduler_base.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/quantile.h>

#include <algorithm>
#include <cmath>

namespace kinora::nn {

at::Tensor whole_tensor(const std::vector<double>& values) {
  std::vector<std::int64_t> whole(values.begin(), values.end());
  return at::from_blob(whole.data(), {static_cast<std::int64_t>(whole.size())}, at::kLong).clone();
}

at::Tensor float_tensor(const std::vector<double>& values) {
  return at::from_blob(const_cast<double*>(values.data()), {static_cast<std::int64_t>(values.size())}, at::kDouble).to(at::kFloat);
}

Clip read_clip(const JsonConfig& config, bool has_clip_sample, bool clip_sample_default) {
  Clip clip;
  clip.dynamic = config.flag("thresholding", false);
  clip.ratio = config.number("dynamic_thresholding_ratio", 0.995);
  if (clip.ratio < 0 || clip.ratio > 1) config.refuse("dynamic_thresholding_ratio", "must be 0 to 1");
  clip.max = config.number("sample_max_value", 1.0);
  if (clip.max < 1) config.refuse("sample_max_value", "must be 1 or more");
  if (!has_clip_sample) return clip;
  clip.fixed = config.flag("clip_sample", clip_sample_default);
  clip.range = config.number("clip_sample_range", 1.0);
  if (clip.range <= 0) config.refuse("clip_sample_range", "must be above 0");
  return clip;
}

at::Tensor Clip::operator()(const at::Tensor& clean) const {
  if (dynamic) {
    const auto flat = clean.flatten(1);
    const auto limit = at::quantile(flat.abs(), ratio, 1).clamp(1.0, max).unsqueeze(1);
    return (at::clamp(flat, -limit, limit) / limit).view_as(clean);
  }
  return fixed ? clean.clamp(-range, range) : clean;
}

AlphaScheduler::AlphaScheduler(const JsonConfig& config, const BetaDefaults& defaults, bool alpha_one_default,
                               const std::vector<std::string_view>& predictions)
    : train_(read_noise_schedule(config, defaults, false)), prediction_(read_prediction(config, predictions)) {
  if (!config.flag("set_alpha_to_one", alpha_one_default)) final_alpha_ = train_.alphas_cumprod.front();
}

void AlphaScheduler::set_times(const std::vector<double>& times) {
  timesteps_ = whole_tensor(times);
  times_.assign(times.begin(), times.end());
}

float AlphaScheduler::alpha(std::int64_t t) const { return t < 0 ? final_alpha_ : train_.alphas_cumprod.at(static_cast<std::size_t>(t)); }

at::Tensor AlphaScheduler::clean(const at::Tensor& output, float alpha_t, const at::Tensor& sample) const {
  const float a = std::sqrt(alpha_t), b = std::sqrt(1 - alpha_t);
  auto x = sample.to(at::kFloat), out = output.to(at::kFloat);
  if (prediction_ == Prediction::epsilon) return (x - out * b) / a;
  return prediction_ == Prediction::v_prediction ? x * a - out * b : out;
}

at::Tensor AlphaScheduler::epsilon(const at::Tensor& output, float alpha_t, const at::Tensor& sample) const {
  const float a = std::sqrt(alpha_t), b = std::sqrt(1 - alpha_t);
  auto x = sample.to(at::kFloat), out = output.to(at::kFloat);
  if (prediction_ == Prediction::epsilon) return out;
  return prediction_ == Prediction::v_prediction ? out * a + x * b : (x - out * a) / b;
}

at::Tensor AlphaScheduler::predict_clean(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample) const {
  return clean(model_output, alpha(timestep(i)), sample);
}

at::Tensor AlphaScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise, std::int64_t i) const {
  const float a = alpha(timestep(i));
  return (original.to(at::kFloat) * std::sqrt(a) + noise.to(at::kFloat) * std::sqrt(1 - a)).to(original.scalar_type());
}

SigmaScheduler::SigmaScheduler(const JsonConfig& config, const std::vector<std::string_view>& predictions)
    : train_(read_noise_schedule(config, {}, true)),
      prediction_(read_prediction(config, predictions)),
      spacing_(read_spacing(config, "linspace")),
      offset_(config.integer("steps_offset", 0, 0, kMaxTrainTimesteps)) {}

double SigmaScheduler::init_noise_sigma() const {
  const float max = *std::max_element(levels_.begin(), levels_.end());
  return spacing_ == Spacing::leading ? std::sqrt(max * max + 1) : max;
}

at::Tensor SigmaScheduler::scale_model_input(const at::Tensor& sample, std::int64_t i) const {
  return sample / std::sqrt(sigma(i) * sigma(i) + 1);
}

at::Tensor SigmaScheduler::predict_clean(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample) const {
  const float s = sigma(i);
  auto x = sample.to(at::kFloat), out = model_output.to(at::kFloat);
  if (prediction_ == Prediction::epsilon) return x - out * s;
  if (prediction_ == Prediction::v_prediction) return out * (-s / std::sqrt(s * s + 1)) + x / (s * s + 1);
  return out;
}

at::Tensor SigmaScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise, std::int64_t i) const {
  return (original.to(at::kFloat) + noise.to(at::kFloat) * sigma(i)).to(original.scalar_type());
}

void SigmaScheduler::set_levels(const Levels& levels) {
  sigmas_ = float_tensor(levels);
  levels_.assign(levels.begin(), levels.end());
}

std::vector<double> SigmaScheduler::spread(std::int64_t steps) const {
  return spread_timesteps({.spacing = spacing_, .train = train_.size, .steps = steps, .offset = offset_, .whole = false});
}

Levels SigmaScheduler::train_levels(const std::vector<double>& times) const {
  Levels levels;
  for (const double t : times) levels.push_back(interpolate(train_.sigmas, static_cast<float>(t)));
  return levels;
}

SolverScheduler::SolverScheduler(const JsonConfig& config)
    : train_(read_noise_schedule(config, {}, true)),
      prediction_(read_prediction(config, {"epsilon", "sample", "v_prediction", "flow_prediction"})),
      spacing_(read_spacing(config, "linspace")),
      offset_(config.integer("steps_offset", 0, 0, kMaxTrainTimesteps)),
      layout_(read_sigma_layout(config)),
      clip_(read_clip(config, false, false)),
      flow_(config.flag("use_flow_sigmas", false)),
      dynamic_shift_(config.flag("use_dynamic_shifting", false)),
      ends_at_zero_(config.choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero"),
      lower_order_final_(config.flag("lower_order_final", true)),
      flow_shift_(config.number("flow_shift", 1.0)),
      order_(config.integer("solver_order", 2, 1, 3)) {
  if (flow_shift_ <= 0) config.refuse("flow_shift", "must be above 0");
}

void SolverScheduler::set_plan(const Levels& sigmas, const std::vector<double>& times) {
  sigmas_ = float_tensor(sigmas);
  levels_.assign(sigmas.begin(), sigmas.end());
  timesteps_ = whole_tensor(times);
}

std::vector<double> SolverScheduler::spread(std::int64_t steps, std::int64_t top) const {
  return spread_timesteps({.spacing = spacing_, .train = train_.size, .steps = steps, .offset = offset_, .drop_lowest = true, .top = top});
}

double SolverScheduler::last_level() const { return ends_at_zero_ ? 0.0 : train_.sigmas.front(); }

SolverScheduler::Point SolverScheduler::at_level(std::int64_t i) const {
  const float s = levels_[static_cast<std::size_t>(i)];
  const float alpha = flow_ ? 1 - s : 1 / std::sqrt(s * s + 1);
  const float sigma = flow_ ? s : s * alpha;
  return {alpha, sigma, std::log(alpha) - std::log(sigma)};
}

at::Tensor SolverScheduler::predict_clean(const at::Tensor& model_output, std::int64_t i, const at::Tensor& sample) const {
  const auto [alpha, sigma, lambda] = at_level(i);
  auto x = sample.to(at::kFloat), out = model_output.to(at::kFloat);
  switch (prediction_) {
    case Prediction::epsilon: return (x - out * sigma) / alpha;
    case Prediction::v_prediction: return x * alpha - out * sigma;
    case Prediction::flow_prediction: return x - out * levels_[static_cast<std::size_t>(i)];
    case Prediction::sample: break;
  }
  return out;
}

at::Tensor SolverScheduler::noise_prediction(const at::Tensor& output, std::int64_t i, const at::Tensor& sample) const {
  const auto [alpha, sigma, lambda] = at_level(i);
  auto x = sample.to(at::kFloat), out = output.to(at::kFloat);
  if (prediction_ == Prediction::epsilon) return out;
  return prediction_ == Prediction::v_prediction ? out * alpha + x * sigma : (x - out * alpha) / sigma;
}

at::Tensor SolverScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise, std::int64_t i) const {
  const auto [alpha, sigma, lambda] = at_level(i);
  return (original.to(at::kFloat) * alpha + noise.to(at::kFloat) * sigma).to(original.scalar_type());
}

}  // namespace kinora::nn
