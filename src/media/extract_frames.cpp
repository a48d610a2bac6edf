#include "media/extract_frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "media/ladder.hpp"
#include "media/reel.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// Times, from the stretch's start, of which the picture on the screen is wanted.
class Wanted {
 public:
  Wanted(const ExtractFramesOptions& options, double length_s) {
    if (options.fps) {
      step_ = 1 / *options.fps;
    } else if (options.count) {
      step_ = length_s / *options.count;
      first_ = step_ / 2;
      left_ = *options.count;
    }
  }
  // Is the picture shown during [from, until) wanted? Times that fall on one picture want it once.
  bool takes(double from, double until) {
    if (step_ <= 0) return true;
    constexpr double kHair = 1e-6;
    bool wanted = false;
    for (; left_ > 0 && next() < until - kHair; ++number_, --left_) wanted = wanted || next() >= from - kHair;
    return wanted;
  }

 private:
  double next() const { return first_ + static_cast<double>(number_) * step_; }
  double step_ = 0, first_ = 0;
  std::int64_t left_ = std::int64_t{1} << 40, number_ = 0;
};

int width_for(const Frame& upright, int wanted) {
  StreamInfo shape;
  shape.width = upright.width();
  shape.height = upright.height();
  shape.sample_aspect = upright.sample_aspect();
  const int shown = display_size(shape).width;
  return wanted > 0 ? std::min(wanted, shown) : shown;
}

}  // namespace

base::Result<std::vector<ExtractedFrame>> extract_frames(const std::string& path, const std::string& output_dir,
                                                         const ExtractFramesOptions& options, const Control& control) {
  if (options.fps && options.count) return base::fail(ErrorCode::conflict, "either fps or count, not both");
  const Stretch stretch{path, options.start_s, options.end_s};
  KINORA_TRY(const double length, Reel::length_of(stretch, options.limits));
  KINORA_TRY(Reel reel, Reel::open(stretch, length, options.limits));
  Wanted wanted(options, length);
  const std::string ending = options.type == ImageType::png ? ".png" : ".jpg";
  std::vector<ExtractedFrame> made;
  for (;;) {
    KINORA_TRY(const std::optional<Frame> frame, reel.next());
    if (!frame) break;
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    const double at = frame->pts().seconds();
    if (!wanted.takes(at, at + Timestamp{frame->duration_ticks(), frame->pts().base}.seconds())) continue;
    if (static_cast<int>(made.size()) >= options.max_frames)
      return base::fail(ErrorCode::too_large,
                        fmt::format("more than {} pictures: ask for fewer with fps, count, start_s and end_s", options.max_frames));
    std::string file = fmt::format("frame_{:05}{}", made.size() + 1, ending);
    KINORA_OK(write_image(fmt::format("{}/{}", output_dir, file), *frame, options.type, options.quality, width_for(*frame, options.width)));
    made.push_back({std::move(file), options.start_s + at});
    if (control.report) control.report({std::min(at / length, 0.999), static_cast<std::int64_t>(made.size()), 0});
  }
  if (made.empty()) return base::fail(ErrorCode::conflict, "there is no picture between start_s and end_s");
  return made;
}

}  // namespace kinora::media
