#pragma once
// Any upright picture onto a canvas of one size, format and colour: scaled with its shape kept (square pixels), centred, black around
// it. Matrix and range are converted; primaries and transfer are not. Inside this room only; one thread at a time.
#include "media/scaler.hpp"

namespace kinora::media {

struct Canvas {
  int width = 0, height = 0;  // even
  PixelFormat format = PixelFormat::yuv420p;
  ColorTags color;
};

// The canvas that holds this picture as it is shown, in its own depth and colour (RGB becomes YUV of limited range).
Canvas canvas_of(const Frame& upright);
// Tags for a YUV picture made of this one.
ColorTags yuv_color(const Frame& frame);

class Fitter {
 public:
  explicit Fitter(const Canvas& canvas) : canvas_(canvas) {}
  // Keeps pts and duration. A picture that fits already passes through.
  base::Result<Frame> fit(const Frame& upright);

 private:
  Canvas canvas_;
  Scaler scaler_{SWS_BICUBIC | SWS_ACCURATE_RND, 1, Scaler::Colors::convert};
};

}  // namespace kinora::media
