#pragma once
// The pictures of a clip that a model is judged by.
#include <vector>

#include "kinora_train/sources.hpp"
#include "media/frame.hpp"

namespace kinora::train {

// Consecutive pictures from a third of the clip on, at most `count`, as 8-bit 4:2:0, sides cut to multiples of `multiple`, which is even.
// A photo is one picture. Throws Failure.
std::vector<media::Frame> read_judged_pictures(const Source& source, int count, int multiple);

}  // namespace kinora::train
