#pragma once
// Goes through the source pictures and decides for every moment of the timeline what is shown: a source picture, or one made between
// two. Knows cuts, gaps and repeated frames; runs the network's comparison, not the network. One thread.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "media/frame.hpp"
#include "models/interpolator.hpp"
#include "runner/timeline.hpp"

namespace kinora::runner {

// Picture times without a picture from which on nothing is made up.
inline constexpr double kMaxGap = 2.5;

class InterpolationWalk {
 public:
  struct Source {
    media::Frame frame;
    std::shared_ptr<const models::InterpolatorPicture> prepared;
  };
  // Either `source` is shown as it is, or the picture at `t` between `a` and `b`. Pointers are good during the call.
  struct Picture {
    Shown shown;
    const Source* source = nullptr;
    const Source* a = nullptr;
    const Source* b = nullptr;
    double t = 0;
  };
  using Show = std::function<base::Status(const Picture&)>;

  // nominal_ticks: between source pictures in the mean, on the source's clock; 0: unknown, no gap is too long.
  InterpolationWalk(const Timeline& timeline, double nominal_ticks, bool keep_repeats, models::Interpolator& interpolator)
      : timeline_(timeline), nominal_ticks_(nominal_ticks), keep_repeats_(keep_repeats), interpolator_(interpolator) {}

  // The next picture, pts rising. last: it ends the walk and is not shown itself.
  base::Status add(Source source, bool last, const Show& show);
  // What is left when no picture follows: the last one, for as long as it lasts.
  base::Status finish(const Show& show);

  std::int64_t cuts() const { return cuts_; }
  std::int64_t repeats() const { return repeats_; }

 private:
  bool too_far(std::int64_t ticks) const;
  // From one picture to before the next.
  base::Status step(const Source& from, const Source& to, models::Change change, const Show& show);
  // From one picture over one that repeats it to before the next.
  base::Status bridge(const Source& from, const Source& repeat, const Source& to, const Show& show);

  const Timeline& timeline_;
  double nominal_ticks_;
  bool keep_repeats_;
  models::Interpolator& interpolator_;
  std::optional<Source> from_, repeat_;
  std::int64_t last_interval_ = 0;  // ticks
  bool ended_ = false;
  std::int64_t cuts_ = 0, repeats_ = 0;
};

}  // namespace kinora::runner
