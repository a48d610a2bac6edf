#include "runner/timeline.hpp"

#include <limits>
#include <numeric>
#include <optional>

namespace kinora::runner {
namespace {

constexpr std::int64_t kMaxTicksPerSecond = std::numeric_limits<std::int32_t>::max();

media::Rational reduced(std::int64_t num, std::int64_t den) {
  const auto common = std::gcd(num, den);
  return {num / common, den / common};
}

// The largest clock tick of which both are whole multiples: gcd(a/b, c/d) = gcd(a d, c b) / (b d).
std::optional<media::Rational> common_clock(media::Rational a, media::Rational b) {
  const auto wide = [](std::int64_t x, std::int64_t y) { return static_cast<__int128>(x) * y; };
  __int128 x = wide(a.num, b.den), y = wide(b.num, a.den), den = wide(a.den, b.den);
  while (y != 0) {
    const __int128 rest = x % y;
    x = y;
    y = rest;
  }
  __int128 top = x, bottom = den;
  while (bottom != 0) {
    const __int128 rest = top % bottom;
    top = bottom;
    bottom = rest;
  }
  x /= top;
  den /= top;
  if (den > kMaxTicksPerSecond || x > kMaxTicksPerSecond) return std::nullopt;
  return media::Rational{static_cast<std::int64_t>(x), static_cast<std::int64_t>(den)};
}

// Ticks of `fine` in one of `coarse`, which is a whole multiple.
std::int64_t ticks_in(media::Rational coarse, media::Rational fine) {
  return static_cast<std::int64_t>(static_cast<__int128>(coarse.num) * fine.den / (static_cast<__int128>(coarse.den) * fine.num));
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

}  // namespace

Timeline::Timeline(media::Rational source_clock, std::int64_t origin_pts, NewRate rate)
    : source_clock_(source_clock), clock_(source_clock), origin_pts_(origin_pts) {
  if (const auto* factor = std::get_if<Factor>(&rate)) {
    factor_ = factor->factor;
    clock_ = reduced(source_clock.num, source_clock.den * factor_);
    per_tick_ = ticks_in(source_clock_, clock_);
    return;
  }
  const media::Rational wanted = std::get<TargetRate>(rate).rate, period{wanted.den, wanted.num};
  if (const auto common = common_clock(source_clock, period)) {
    clock_ = *common;
    per_tick_ = ticks_in(source_clock_, clock_);
    origin_ = origin_pts * per_tick_;
  } else {
    exact_ = false;
    clock_ = reduced(1, wanted.num);
    origin_ = media::rescale({origin_pts, source_clock}, clock_);
  }
  step_ = ticks_in(period, clock_);
}

std::vector<Shown> Timeline::between(std::int64_t from_pts, std::int64_t to_pts) const {
  std::vector<Shown> all;
  if (step_ == 0) {
    const std::int64_t length = to_pts - from_pts;  // in ticks of the clock: length * per_tick, a multiple of the factor
    const std::int64_t step = length * per_tick_ / factor_;
    for (std::int64_t k = 0; k < factor_; ++k)
      all.push_back({.pts = from_pts * per_tick_ + k * step, .duration = step, .t = static_cast<double>(k) / static_cast<double>(factor_)});
    return all;
  }
  const auto on_clock = [&](std::int64_t pts) {
    return exact_ ? (pts - origin_pts_) * per_tick_ : media::rescale({pts - origin_pts_, source_clock_}, clock_);
  };
  const std::int64_t from = on_clock(from_pts), to = on_clock(to_pts);
  for (std::int64_t n = ceil_div(from, step_); n * step_ < to; ++n)
    all.push_back(
        {.pts = origin_ + n * step_, .duration = step_, .t = static_cast<double>(n * step_ - from) / static_cast<double>(to - from)});
  return all;
}

double Timeline::growth(media::Rational source_rate) const {
  if (step_ == 0) return static_cast<double>(factor_);
  if (!source_rate.known()) return 0;
  return 1 / (static_cast<double>(step_) * clock_.value() * source_rate.value());
}

}  // namespace kinora::runner
