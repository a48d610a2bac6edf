#include "runner/interpolation_walk.hpp"

#include <algorithm>
#include <cmath>

namespace kinora::runner {
namespace {

constexpr double kAtSource = 1e-3;  // a moment so near to a source picture shows that
std::int64_t pts(const InterpolationWalk::Source& source) { return source.frame.pts().ticks; }

}  // namespace

bool InterpolationWalk::too_far(std::int64_t ticks) const {
  return nominal_ticks_ > 0 && static_cast<double>(ticks) > kMaxGap * nominal_ticks_;
}

base::Status InterpolationWalk::step(const Source& from, const Source& to, models::Change change, const Show& show) {
  const bool apart = change == models::Change::cut || too_far(pts(to) - pts(from));
  if (apart) ++cuts_;
  for (const Shown& shown : timeline_.between(pts(from), pts(to))) {
    Picture picture{.shown = shown};
    if (shown.t < kAtSource || change == models::Change::none) {
      picture.source = &from;
    } else if (apart) {
      picture.source = shown.t < 0.5 ? &from : &to;
    } else {
      picture.a = &from;
      picture.b = &to;
      picture.t = shown.t;
    }
    KINORA_OK(show(picture));
  }
  return {};
}

base::Status InterpolationWalk::bridge(const Source& from, const Source& repeat, const Source& to, const Show& show) {
  const auto change = interpolator_.compare(*repeat.prepared, *to.prepared);
  const std::int64_t whole = pts(to) - pts(from), first = pts(repeat) - pts(from);
  if (change != models::Change::moved || too_far(whole)) {
    KINORA_OK(step(from, repeat, models::Change::none, show));
    return step(repeat, to, change, show);
  }
  ++repeats_;
  const auto part = [&](std::int64_t begin, std::int64_t end) -> base::Status {
    for (const Shown& shown : timeline_.between(pts(from) + begin, pts(from) + end)) {
      const double t = (static_cast<double>(begin) + shown.t * static_cast<double>(end - begin)) / static_cast<double>(whole);
      Picture picture{.shown = shown};
      if (t < kAtSource) {
        picture.source = &from;
      } else {
        picture.a = &from;
        picture.b = &to;
        picture.t = t;
      }
      KINORA_OK(show(picture));
    }
    return {};
  };
  KINORA_OK(part(0, first));
  return part(first, whole);
}

base::Status InterpolationWalk::add(Source source, bool last, const Show& show) {
  if (!from_) {
    from_ = std::move(source);
    return {};
  }
  const Source& before = repeat_ ? *repeat_ : *from_;
  last_interval_ = pts(source) - pts(before);
  if (repeat_) {
    KINORA_OK(bridge(*from_, *repeat_, source, show));
    repeat_.reset();
  } else {
    const auto change = interpolator_.compare(*from_->prepared, *source.prepared);
    if (change == models::Change::none && !keep_repeats_ && !last) {
      repeat_ = std::move(source);
      return {};
    }
    KINORA_OK(step(*from_, source, change, show));
  }
  from_ = std::move(source);
  ended_ = last;
  return {};
}

base::Status InterpolationWalk::finish(const Show& show) {
  if (!from_ || ended_) return {};
  if (repeat_) {
    KINORA_OK(step(*from_, *repeat_, models::Change::none, show));
    from_ = std::exchange(repeat_, std::nullopt);
  }
  std::int64_t lasts = from_->frame.duration_ticks();
  if (lasts <= 0) lasts = last_interval_ > 0 ? last_interval_ : std::max<std::int64_t>(std::llround(nominal_ticks_), 1);
  for (const Shown& shown : timeline_.between(pts(*from_), pts(*from_) + lasts)) {
    Picture picture{.shown = shown};
    picture.source = &*from_;
    KINORA_OK(show(picture));
  }
  return {};
}

}  // namespace kinora::runner
