#pragma once
// The training schedule of a diffusion model: how much of the signal is left at each of its N timesteps, and how a few of these are
// chosen. All in float32 as PyTorch computes it, since models were trained with these very values.
#include <cstdint>
#include <string_view>
#include <vector>

#include "nn/json_config.hpp"

namespace kinora::nn {

inline constexpr std::int64_t kMaxTrainTimesteps = 4096;

enum class Prediction { epsilon, sample, v_prediction, flow_prediction };
// "prediction_type", one of `allowed`.
Prediction read_prediction(const JsonConfig& config, const std::vector<std::string_view>& allowed);

struct BetaDefaults {
  double start = 0.0001, end = 0.02;
  std::string_view schedule = "linear";
};

struct NoiseSchedule {
  std::int64_t size = 1000;           // N, num_train_timesteps
  std::vector<float> alphas_cumprod;  // [N], in [0, 1], falling
  std::vector<float> sigmas;          // [N], sqrt((1 - a) / a); infinite where a is 0
};

// Members num_train_timesteps, beta_start, beta_end, beta_schedule, trained_betas, rescale_betas_zero_snr. keep_above_zero: with
// rescaled betas the last a is 2^-24 instead of 0, so that every sigma is finite; without it a must stay above 0 otherwise too.
NoiseSchedule read_noise_schedule(const JsonConfig& config, const BetaDefaults& defaults, bool keep_above_zero);

enum class Spacing { linspace, leading, trailing };
Spacing read_spacing(const JsonConfig& config, std::string_view fallback);

struct Spread {
  Spacing spacing = Spacing::leading;
  std::int64_t train = 1000;  // N
  std::int64_t steps = 0;
  std::int64_t offset = 0;   // "steps_offset", leading only
  bool drop_lowest = false;  // linspace and leading: one more point, the lowest not used (multistep solvers)
  std::int64_t top = 0;      // linspace and leading end, trailing begins here instead of at N; 0: N
  bool whole = true;         // round to whole timesteps, half to even
};
// Falling timesteps (table 2 of arXiv:2305.08891). Throws std::invalid_argument when one lies outside the training schedule.
std::vector<double> spread_timesteps(const Spread& spread);

// Throws std::invalid_argument unless 1 <= steps <= max.
void check_steps(std::int64_t steps, std::int64_t max);

}  // namespace kinora::nn
