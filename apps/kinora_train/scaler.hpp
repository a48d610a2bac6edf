#pragma once
// Plain resizing of 4:2:0 pictures by FFmpeg's swscale, as the `scale` filter does it: how the training's small pictures are
// made, and the Lanczos baseline that a model has to beat. Throws Failure. One thread at a time.
#include "media/frame.hpp"

namespace kinora::train {

enum class Kernel { area, bicubic, lanczos };

// A new yuv420p picture of this size with the colour tags of `frame` (any pixel format). Accurate rounding, full chroma.
media::Frame resized(const media::Frame& frame, int width, int height, Kernel kernel);

// The top left width x height corner, sharing the pixels of `frame`.
media::Frame cropped(const media::Frame& frame, int width, int height);

}  // namespace kinora::train
