#pragma once
// One network's part in the pipeline of a video (video_enhance.hpp): pictures go in, pictures come out, in the order of their times.
// Between two steps a picture is what a lossless file would hold, so that steps in one pass give what they give one after the other.
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "media/frame.hpp"
#include "models/fast/fast_upscaler.hpp"
#include "runner/picture_buffer.hpp"

namespace kinora::runner {

// What all pictures of a video have in common.
struct Look {
  int width = 0, height = 0, bit_depth = 8;
  media::ColorTags color;
  media::Rational sample_aspect;
  media::Rational clock{0, 1};  // of the times
  media::Rational rate{0, 1};   // pictures a second in the mean; unknown: 0
  double frames = 0;            // expected in all; unknown: 0

  models::SampleType type() const { return sample_type(bit_depth); }
  // What a video of this depth is encoded from.
  media::PixelFormat format() const { return bit_depth > 8 ? media::PixelFormat::yuv420p10 : media::PixelFormat::yuv420p; }
};

// A picture on its way: its pixels in `frame`, in `rgb` ([H, W] of the look's type), or in both. A frame carries the same times.
struct StepPicture {
  struct Between {
    media::Frame before, after;
    double t = 0;  // above 0 (before), below 1 (after)
  };
  media::Frame frame{};
  Buffer rgb{};
  media::Timestamp pts{};
  std::int64_t duration_ticks = 0;
  bool beyond = false;                              // lies behind the wanted range: looked at, never shown
  bool joint = false;                               // a chunk of the video may begin here (media/joints.hpp)
  std::optional<Between> between{};                 // which pictures a made one lies between, until write()
  std::vector<models::fast::BlockMotion> motion{};  // the codec's, where a step wants it
};

class Step {
 public:
  using Emit = std::function<base::Status(StepPicture)>;
  virtual ~Step() = default;
  // Before everything else: what comes out of it. Errors: what this step cannot do with such pictures.
  virtual base::Result<Look> begin(const Look& in) = 0;
  // Makes a picture ready for add(): may be called from another thread than the rest, for one picture at a time.
  virtual base::Status read(StepPicture& picture) = 0;
  // The network, on the inference thread. The networks' exceptions pass through.
  virtual base::Status add(StepPicture picture, const Emit& emit) = 0;
  // No picture follows.
  virtual base::Status finish(const Emit& emit) = 0;
  // Gives an emitted picture its frame: may be called from another thread than the rest, for one picture at a time.
  virtual base::Status write(StepPicture& picture) = 0;
};

}  // namespace kinora::runner
