#pragma once
// How alike two films or pictures of possibly different sizes are: pictures at the same times, upright, the larger one brought to the
// smaller one's size.
#include <string>

#include "media/limits.hpp"
#include "media/progress.hpp"
#include "media/quality.hpp"

namespace kinora::media {

inline constexpr int kMaxCompared = 64;

struct CompareOptions {
  int samples = 8;  // 1..kMaxCompared, spread evenly over the shorter one
  Limits limits;
};
struct Likeness {
  FrameQuality mean, worst;  // of the compared pictures
  int samples = 0;
};
// invalid: a file without a picture.
base::Result<Likeness> compare(const std::string& path_a, const std::string& path_b, const CompareOptions& options = {},
                               const Control& control = {});

}  // namespace kinora::media
