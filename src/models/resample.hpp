#pragma once
// Brings a picture to another size: bicubic, antialiased when it shrinks (a = -0.5, as Pillow and torch do), in float.
#include "models/upscaler.hpp"

namespace kinora::models {

// Fills `out`, [height, width] of in.type. Sides >= 1. Throws c10::Error when memory fails.
void resample(const Picture& in, std::int64_t width, std::int64_t height, void* out);

}  // namespace kinora::models
