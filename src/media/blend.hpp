#pragma once
// Mixing two pictures of one size and planar 4:2:0 format, sample by sample.
#include "media/frame.hpp"

namespace kinora::media {

// a * (1 - weight) + b * weight, in the coded values, halves rounded up; a new picture with a's tags. weight 0..1. invalid: of different
// sizes or formats.
base::Result<Frame> crossfade(const Frame& a, const Frame& b, double weight);

}  // namespace kinora::media
