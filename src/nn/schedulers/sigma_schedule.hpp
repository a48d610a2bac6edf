#pragma once
// Ways to lay out noise levels between a highest and a lowest one, and the shifts of flow matching. Doubles, falling order.
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "nn/json_config.hpp"

namespace kinora::nn {

using Levels = std::vector<double>;

enum class SigmaLayout { given, karras, exponential, beta };
// Members use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas: at most one.
SigmaLayout read_sigma_layout(const JsonConfig& config);

struct SigmaLimits {
  std::optional<double> min, max;  // members sigma_min, sigma_max; absent: the ends of the given levels
};
SigmaLimits read_sigma_limits(const JsonConfig& config);

// n levels between the limits: Karras et al. (arXiv:2206.00364) with rho 7, even in the logarithm, or by the quantiles of the Beta(0.6,
// 0.6) distribution (arXiv:2407.12173). `given` is returned as it is for SigmaLayout::given.
Levels lay_out(SigmaLayout layout, const Levels& given, const SigmaLimits& limits, std::int64_t n);

// numpy.interp over the points 0, 1, 2, ...: linear, constant beyond the ends.
double interpolate(const std::vector<float>& values, double at);
// The (fractional) timestep at which the training schedule has this sigma: linear in its logarithm.
std::vector<float> logarithms(const std::vector<float>& sigmas);
double timestep_of(double sigma, const std::vector<float>& log_sigmas);

// x with I_x(a, b) = p, the quantile of the Beta distribution; p in [0, 1], a, b > 0.
double beta_quantile(double p, double a, double b);

// shift * s / (1 + (shift - 1) * s)
void shift_levels(Levels& levels, double shift);
enum class TimeShift { exponential, linear };
TimeShift read_time_shift(const JsonConfig& config);
// m / (m + 1 / s - 1) with m = e^mu or mu.
void shift_levels_by(Levels& levels, TimeShift type, double mu);
// Stretches 1 - s so that the last level is `terminal`.
void stretch_to_terminal(Levels& levels, double terminal);

}  // namespace kinora::nn
