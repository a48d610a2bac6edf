#pragma once
// Pictures at a higher (or any other) rate. Source pictures that are shown are passed on as they came, and in made ones what stands still
// in both neighbours (media/still_parts.hpp). Times are exact (timeline.hpp): the video begins and ends with the source's, sound stays in
// step. Odd sides become even.
//
// Nothing is made up over a cut or a gap of more than kMaxGap picture times: what was there before stays for the first half, what comes
// after is shown for the second. A frame that repeats the one before is not shown again but replaced by movement (one in a row, as in
// animation drawn on twos).
#include <cstdint>
#include <optional>

#include "media/rgb.hpp"
#include "models/interpolator.hpp"
#include "runner/interpolation_walk.hpp"
#include "runner/step.hpp"
#include "runner/timeline.hpp"

namespace kinora::runner {

// Sides from which the automatic flow scale is 0.5: flows of 4K pictures are longer than the network sees at 1.
inline constexpr int kLargeSide = 2600;

struct Interpolation {
  NewRate rate = Factor{2};
  std::optional<double> flow_scale = std::nullopt;  // at which movement is looked for; absent: by the picture's size
  bool ensemble = false;
  bool keep_repeats = false;       // show repeated frames as they are
  std::uint64_t memory_bytes = 0;  // what the network may take; 0: not checked
};

struct InterpolationCounts {
  std::int64_t made = 0;     // by the network
  std::int64_t cuts = 0;     // and gaps
  std::int64_t repeats = 0;  // replaced by movement
};

class InterpolationStep final : public Step {
 public:
  // origin_pts: of the first picture of the whole video, on the clock of the pictures that come in.
  InterpolationStep(const Interpolation& how, models::Interpolator& network, std::int64_t origin_pts)
      : how_(how), network_(network), origin_pts_(origin_pts) {}
  // invalid: an ensemble that the network does not have; exhausted: memory_bytes do not do.
  base::Result<Look> begin(const Look& in) override;
  base::Status read(StepPicture& picture) override;
  base::Status add(StepPicture picture, const Emit& emit) override;
  base::Status finish(const Emit& emit) override;
  base::Status write(StepPicture& picture) override;

  InterpolationCounts counts() const;

 private:
  base::Status make_even(StepPicture& picture);
  base::Result<media::Frame> to_frame(Buffer& rgb, media::RgbConverter& converter) const;
  base::Status show(const InterpolationWalk::Picture& picture, const Emit& emit);

  Interpolation how_;
  models::Interpolator& network_;
  std::int64_t origin_pts_;
  models::InterpolationOptions options_;
  Look in_, out_;
  std::optional<Timeline> timeline_;
  std::optional<InterpolationWalk> walk_;
  std::int64_t made_ = 0;
  std::optional<media::Timestamp> joint_;  // of a picture that came in: the next one shown from there on is marked
  media::RgbConverter to_rgb_, to_even_, to_frame_;
  BufferPool read_, between_;
};

}  // namespace kinora::runner
