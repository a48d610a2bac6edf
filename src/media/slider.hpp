#pragma once
// Two films in one picture for the eye: left of a line the one, right of it the other, frame by frame. The smaller is brought to the larger
// one's size. No sound.
#include <string>

#include "base/result.hpp"
#include "media/limits.hpp"
#include "media/progress.hpp"

namespace kinora::media {

struct SliderOptions {
  double position = 0.5;  // of the line, 0 (left edge: all `right`) .. 1
  Limits limits;
};
// Writes an MP4 (CRF 12) of as many frames as the shorter one has. invalid: a file without a picture.
base::Status slider_video(const std::string& left, const std::string& right, const std::string& output, const SliderOptions& options = {},
                          const Control& control = {});

}  // namespace kinora::media
