#pragma once
// Pictures made larger, one for one. Sides are rounded up to even; where the wanted scale is not the network's own, its result is
// resampled.
#include <memory>
#include <optional>

#include "media/rgb.hpp"
#include "models/fast/fast_upscaler.hpp"
#include "models/upscaler.hpp"
#include "runner/enlarger.hpp"
#include "runner/step.hpp"

namespace kinora::runner {

struct Upscaling {
  double scale = 2;  // of each side
  // Only new parts of a picture go through the network, the rest is carried along the motion (models/fast/fast_upscaler.hpp).
  enum class Accelerate { off, fast, automatic };
  Accelerate accelerate = Accelerate::off;
};

class UpscaleStep final : public Step {
 public:
  // watch: asked between the parts of a picture, with the part of all pictures that is done (0..1; 0 while their number is not known).
  UpscaleStep(const Upscaling& how, models::Upscaler& network, models::Watch watch);
  // too_large: the enlarged picture.
  base::Result<Look> begin(const Look& in) override;
  base::Status read(StepPicture& picture) override;
  // canceled: the watch said stop.
  base::Status add(StepPicture picture, const Emit& emit) override;
  base::Status finish(const Emit& emit) override;
  base::Status write(StepPicture& picture) override;

  std::optional<models::fast::Counts> accelerated() const;

 private:
  std::unique_ptr<models::fast::FastUpscaler> fast_;
  Enlarger enlarger_;
  models::Watch watch_;
  double added_ = 0;  // pictures
  Look in_, out_;
  media::RgbConverter to_rgb_, to_frame_;
  BufferPool small_, large_;
};

}  // namespace kinora::runner
