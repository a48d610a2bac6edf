#include "nn/schedulers/noise_schedule.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linspace.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace kinora::nn {
namespace {

at::Tensor float_tensor(const std::vector<double>& values) {
  return at::from_blob(const_cast<double*>(values.data()), {static_cast<std::int64_t>(values.size())}, at::kDouble).to(at::kFloat);
}

// Cosine schedule of Nichol and Dhariwal (arXiv:2102.09672), betas capped at 0.999.
at::Tensor cosine_betas(std::int64_t n) {
  const auto alpha_bar = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2), 2); };
  std::vector<double> betas;
  for (std::int64_t i = 0; i < n; ++i) {
    const double from = static_cast<double>(i) / static_cast<double>(n), to = static_cast<double>(i + 1) / static_cast<double>(n);
    betas.push_back(std::min(1 - alpha_bar(to) / alpha_bar(from), 0.999));
  }
  return float_tensor(betas);
}

at::Tensor read_betas(const JsonConfig& config, const BetaDefaults& defaults, std::int64_t n) {
  if (config.has("trained_betas")) {
    const auto betas = config.numbers("trained_betas", {});
    if (static_cast<std::int64_t>(betas.size()) != n)
      config.refuse("trained_betas", "must have num_train_timesteps (" + std::to_string(n) + ") values");
    return float_tensor(betas);
  }
  const double start = config.number("beta_start", defaults.start), end = config.number("beta_end", defaults.end);
  for (const auto& [name, value] : {std::pair{"beta_start", start}, {"beta_end", end}})
    if (value <= 0 || value >= 1) config.refuse(name, "must be above 0 and below 1");
  const auto schedule = config.choice("beta_schedule", defaults.schedule, {"linear", "scaled_linear", "squaredcos_cap_v2"});
  if (schedule == "squaredcos_cap_v2") return cosine_betas(n);
  if (schedule == "linear") return at::linspace(start, end, n, at::kFloat);
  return at::linspace(std::sqrt(start), std::sqrt(end), n, at::kFloat).pow(2);
}

// Algorithm 1 of arXiv:2305.08891: shifts and scales sqrt(a) so that its last value is 0 and its first is kept.
at::Tensor rescale_zero_terminal_snr(const at::Tensor& betas) {
  const auto root = at::cumprod(1.0 - betas, 0).sqrt();
  const auto first = root[0], last = root[-1];
  const auto bar = ((root - last) * (first / (first - last))).pow(2);
  const auto n = bar.size(0);
  return 1.0 - at::cat({bar.slice(0, 0, 1), bar.slice(0, 1, n) / bar.slice(0, 0, n - 1)});
}

}  // namespace

Prediction read_prediction(const JsonConfig& config, const std::vector<std::string_view>& allowed) {
  const auto name = config.choice("prediction_type", "epsilon", allowed);
  if (name == "epsilon") return Prediction::epsilon;
  if (name == "v_prediction") return Prediction::v_prediction;
  return name == "flow_prediction" ? Prediction::flow_prediction : Prediction::sample;
}

NoiseSchedule read_noise_schedule(const JsonConfig& config, const BetaDefaults& defaults, bool keep_above_zero) {
  NoiseSchedule schedule;
  schedule.size = config.integer("num_train_timesteps", 1000, 2, kMaxTrainTimesteps);
  auto betas = read_betas(config, defaults, schedule.size);
  const bool rescale = config.flag("rescale_betas_zero_snr", false);
  if (rescale) betas = rescale_zero_terminal_snr(betas);
  auto alphas = at::cumprod(1.0 - betas, 0).contiguous();
  if (rescale && keep_above_zero) alphas[-1].fill_(std::pow(2.0, -24));  // smallest half: the first sigma is large, not infinite
  const auto sigmas = ((1.0 - alphas) / alphas).sqrt();
  const auto* a = static_cast<const float*>(alphas.const_data_ptr());
  const auto* s = static_cast<const float*>(sigmas.const_data_ptr());
  schedule.alphas_cumprod.assign(a, a + schedule.size);
  schedule.sigmas.assign(s, s + schedule.size);
  for (std::int64_t i = 0; i < schedule.size; ++i) {
    const bool may_be_zero = rescale && !keep_above_zero && i == schedule.size - 1;
    // Betas that overshoot, rise beyond 1 or swallow the signal: also seen as NaN.
    if (!(a[i] < 1.0F) || !(a[i] > 0.0F || (may_be_zero && a[i] == 0.0F)) || (i > 0 && a[i] > a[i - 1]))
      config.refuse("betas", "leave no falling signal between 0 and 1 at timestep " + std::to_string(i));
  }
  return schedule;
}

Spacing read_spacing(const JsonConfig& config, std::string_view fallback) {
  const auto name = config.choice("timestep_spacing", fallback, {"linspace", "leading", "trailing"});
  return name == "linspace" ? Spacing::linspace : name == "leading" ? Spacing::leading : Spacing::trailing;
}

void check_steps(std::int64_t steps, std::int64_t max) {
  if (steps < 1 || steps > max)
    throw std::invalid_argument("the number of steps must be 1 to " + std::to_string(max) + ", not " + std::to_string(steps));
}

std::vector<double> spread_timesteps(const Spread& spread) {
  check_steps(spread.steps, spread.train);
  const std::int64_t top = spread.top == 0 ? spread.train : spread.top;
  std::vector<double> times;
  if (spread.spacing == Spacing::trailing) {
    // The sum is taken as the reference takes it, so that halves round the same way. Its list has one more entry of -1 for some step
    // counts (61, 103, ...) by rounding; we stop at the steps asked for.
    const double ratio = static_cast<double>(spread.train) / static_cast<double>(spread.steps);
    const double stride = (static_cast<double>(top) - ratio) - static_cast<double>(top);
    for (std::int64_t i = 0; i < spread.steps; ++i) {
      const double time = static_cast<double>(top) + static_cast<double>(i) * stride;
      if (time <= 0) break;
      times.push_back(std::nearbyint(time) - 1);
    }
  } else {
    const std::int64_t points = spread.steps + (spread.drop_lowest ? 1 : 0);
    const std::int64_t whole_stride = top / points;
    const double stride = points > 1 ? static_cast<double>(top - 1) / static_cast<double>(points - 1) : 0;
    for (std::int64_t i = points - 1; i >= (spread.drop_lowest ? 1 : 0); --i) {
      if (spread.spacing == Spacing::leading)
        times.push_back(static_cast<double>(i * whole_stride + spread.offset));
      else if (i == points - 1 && points > 1)
        times.push_back(static_cast<double>(top - 1));
      else
        times.push_back(spread.whole ? std::nearbyint(static_cast<double>(i) * stride) : static_cast<double>(i) * stride);
    }
  }
  if (times.empty() || times.front() > static_cast<double>(spread.train - 1) || times.back() < 0)
    throw std::invalid_argument(std::to_string(spread.steps) + " steps with this spacing leave the " + std::to_string(spread.train) +
                                " timesteps of the model: ask for fewer steps");
  return times;
}

}  // namespace kinora::nn
