#include "nn/schedulers/sigma_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace kinora::nn {
namespace {

// i-th of n points from a to b.
double point(double a, double b, std::int64_t i, std::int64_t n) {
  if (n < 2) return a;
  return i == n - 1 ? b : a + static_cast<double>(i) * ((b - a) / static_cast<double>(n - 1));
}

// Regularised incomplete beta function by its continued fraction (DLMF 8.17.22), modified Lentz method.
double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(1 - x, b, a);
  constexpr double kTiny = 1e-300;
  double f = 1, c = 1, d = 0;
  for (int i = 0; i <= 300; ++i) {
    const int half = i / 2;
    const double m = half;
    double term = 1;
    if (i > 0) {
      term =
          i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) : -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    }
    d = 1 + term * d;
    if (std::fabs(d) < kTiny) d = kTiny;
    d = 1 / d;
    c = 1 + term / c;
    if (std::fabs(c) < kTiny) c = kTiny;
    f *= c * d;
    if (std::fabs(1 - c * d) < 1e-16) break;
  }
  const double log_beta = std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  return std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta) / a * (f - 1);
}

}  // namespace

SigmaLayout read_sigma_layout(const JsonConfig& config) {
  const bool karras = config.flag("use_karras_sigmas", false), exponential = config.flag("use_exponential_sigmas", false),
             beta = config.flag("use_beta_sigmas", false);
  if (karras + exponential + beta > 1)
    config.refuse("use_karras_sigmas", "only one of use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas can be true");
  return karras ? SigmaLayout::karras : exponential ? SigmaLayout::exponential : beta ? SigmaLayout::beta : SigmaLayout::given;
}

SigmaLimits read_sigma_limits(const JsonConfig& config) {
  SigmaLimits limits;
  if (config.has("sigma_min")) limits.min = config.number("sigma_min", 0);
  if (config.has("sigma_max")) limits.max = config.number("sigma_max", 0);
  if (limits.min && *limits.min <= 0) config.refuse("sigma_min", "must be above 0");
  if (limits.max && *limits.max <= limits.min.value_or(0)) config.refuse("sigma_max", "must be above sigma_min");
  return limits;
}

Levels lay_out(SigmaLayout layout, const Levels& given, const SigmaLimits& limits, std::int64_t n) {
  if (layout == SigmaLayout::given) return given;
  const double min = limits.min.value_or(given.back()), max = limits.max.value_or(given.front());
  constexpr double kRho = 7.0;
  Levels levels;
  for (std::int64_t i = 0; i < n; ++i) {
    if (layout == SigmaLayout::karras) {
      const double low = std::pow(min, 1 / kRho), high = std::pow(max, 1 / kRho);
      levels.push_back(std::pow(high + point(0, 1, i, n) * (low - high), kRho));
    } else if (layout == SigmaLayout::exponential) {
      levels.push_back(std::exp(point(std::log(max), std::log(min), i, n)));
    } else {
      levels.push_back(min + beta_quantile(1 - point(0, 1, i, n), 0.6, 0.6) * (max - min));
    }
  }
  return levels;
}

double interpolate(const std::vector<float>& values, double at) {
  if (!(at > 0)) return values.front();
  const auto last = static_cast<double>(values.size() - 1);
  if (at >= last) return values.back();
  const auto low = static_cast<std::size_t>(at);
  const double from = values[low], to = values[low + 1];
  return (to - from) * (at - static_cast<double>(low)) + from;
}

std::vector<float> logarithms(const std::vector<float>& sigmas) {
  std::vector<float> logs;
  logs.reserve(sigmas.size());
  for (const float sigma : sigmas) logs.push_back(std::log(sigma));
  return logs;
}

double timestep_of(double sigma, const std::vector<float>& log_sigmas) {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  const auto above = std::upper_bound(log_sigmas.begin(), log_sigmas.end(), log_sigma, [](double x, float y) { return x < y; });
  const auto low = static_cast<std::size_t>(
      std::clamp<std::ptrdiff_t>(above - log_sigmas.begin() - 1, 0, static_cast<std::ptrdiff_t>(log_sigmas.size()) - 2));
  const double w = std::clamp((log_sigmas[low] - log_sigma) / static_cast<double>(log_sigmas[low] - log_sigmas[low + 1]), 0.0, 1.0);
  return (1 - w) * static_cast<double>(low) + w * static_cast<double>(low + 1);
}

double beta_quantile(double p, double a, double b) {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  double low = 0, high = 1;
  for (int i = 0; i < 200 && high - low > 0; ++i) {
    const double middle = (low + high) / 2;
    if (middle == low || middle == high) break;
    (incomplete_beta(middle, a, b) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

void shift_levels(Levels& levels, double shift) {
  for (double& s : levels) s = shift * s / (1 + (shift - 1) * s);
}

TimeShift read_time_shift(const JsonConfig& config) {
  return config.choice("time_shift_type", "exponential", {"exponential", "linear"}) == "linear" ? TimeShift::linear
                                                                                                : TimeShift::exponential;
}

void shift_levels_by(Levels& levels, TimeShift type, double mu) {
  const double m = type == TimeShift::exponential ? std::exp(mu) : mu;
  for (double& s : levels) s = m / (m + (1 / s - 1));
}

void stretch_to_terminal(Levels& levels, double terminal) {
  const double factor = (1 - levels.back()) / (1 - terminal);
  for (double& s : levels) s = 1 - (1 - s) / factor;
}

}  // namespace kinora::nn
