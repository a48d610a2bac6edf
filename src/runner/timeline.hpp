#pragma once
// When the pictures of a video at a new rate are shown, exactly: integers on a clock that holds both the source's times and the new ones.
// Pure.
#include <cstdint>
#include <variant>
#include <vector>

#include "media/rational.hpp"

namespace kinora::runner {

// Every interval between two source pictures is divided into `factor` equal ones: variable rates stay variable. 2 to 16.
struct Factor {
  int factor = 2;
};
// Pictures at a constant rate, a second, from the first source picture on.
struct TargetRate {
  media::Rational rate{60, 1};
};
using NewRate = std::variant<Factor, TargetRate>;

// One picture to show: at `pts` of Timeline::clock(), the fraction `t` (0 to below 1) of the way through the interval.
struct Shown {
  std::int64_t pts = 0;
  std::int64_t duration = 0;  // ticks
  double t = 0;
};

class Timeline {
 public:
  // origin_pts: of the first picture of the whole video, ticks of source_clock; a part of a video is given the whole one's.
  Timeline(media::Rational source_clock, std::int64_t origin_pts, NewRate rate);

  // Holds every time exactly, unless its ticks would be more than 2^31 a second: then a constant rate's own ticks, and the origin rounded.
  media::Rational clock() const { return clock_; }
  // The pictures within [from_pts, to_pts) of the source's clock, in order; from_pts < to_pts, from_pts >= origin.
  std::vector<Shown> between(std::int64_t from_pts, std::int64_t to_pts) const;
  // About how many a source picture becomes, at this source rate (unknown: 0).
  double growth(media::Rational source_rate) const;

 private:
  media::Rational source_clock_, clock_;
  std::int64_t origin_pts_, origin_ = 0;  // origin_: on clock_
  std::int64_t per_tick_ = 1;             // ticks of clock_ a tick of source_clock_
  std::int64_t step_ = 0;                 // ticks of clock_ between pictures of a constant rate; 0: a factor
  std::int64_t factor_ = 0;
  bool exact_ = true;
};

}  // namespace kinora::runner
