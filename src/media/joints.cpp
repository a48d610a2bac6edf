#include "media/joints.hpp"

#include <utility>

extern "C" {
#include <libavutil/mathematics.h>
}

namespace kinora::media {

bool Joints::next(std::int64_t pts, bool key) {
  const Picture now{av_rescale_rnd(pts, clock_.num, kStretchSeconds * clock_.den, AV_ROUND_DOWN), key};
  const auto before = std::exchange(before_, now);
  return key && before && (!before->key || before->stretch != now.stretch);
}

}  // namespace kinora::media
