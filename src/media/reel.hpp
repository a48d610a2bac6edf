#pragma once
// A stretch of a video as upright pictures on a clock that begins at zero: what clip, concat and loop are made of. Inside this room only.
// Zero is the stretch's start on the file's own clock (the earliest stream is at 0), so sound read from the same time fits. The first
// picture is the one on the screen then; the last one ends with the stretch. Times in between are the source's.
#include <deque>
#include <optional>
#include <string>

#include "media/fit.hpp"
#include "media/prefilter.hpp"
#include "media/video_reader.hpp"

namespace kinora::media {

struct Stretch {
  std::string path;
  double start_s = 0;
  std::optional<double> end_s{};  // absent, or past the end: where the pictures end
};

// What the packets of a file's video say.
struct PictureTimes {
  double end_s = 0;   // of the last picture, from the file's start
  bool plain = true;  // every packet has its time and is shown: they can be copied one by one
};
// unsupported: no video.
base::Result<PictureTimes> picture_times(const std::string& path, const Limits& limits);

class Reel {
 public:
  // Opens and decodes the first picture. `length_s`: how long the stretch is (see length_of).
  static base::Result<Reel> open(const Stretch& stretch, double length_s, const Limits& limits, int threads = 0);
  // conflict: the stretch begins past the end, or ends before it begins.
  static base::Result<double> length_of(const Stretch& stretch, const Limits& limits);

  const Frame& first() const { return first_; }  // upright, before fitting
  const StreamInfo& stream() const { return reader_.stream(); }
  // Before next(), if at all: else pictures keep their own shape and clock. `clock`: of the pictures given out.
  void fit_to(const Canvas& canvas, Rational clock);
  // Times count from the stretch's start; durations reach to the next picture, or to the stretch's end.
  base::Result<std::optional<Frame>> next();

 private:
  Reel(VideoReader reader, Prefilter prefilter) : reader_(std::move(reader)), prefilter_(std::move(prefilter)) {}
  base::Status fill();
  base::Result<Frame> placed(const Frame& upright);

  VideoReader reader_;
  Prefilter prefilter_;
  Frame first_;
  std::deque<Frame> ready_;  // upright; the next one to give and the one behind it
  bool drained_ = false, given_ = false;
  double start_s_ = 0;  // on the stream's clock
  double length_s_ = 0;
  Rational clock_;
  std::optional<Fitter> fitter_;
};

}  // namespace kinora::media
