#include "media/motion_vectors.hpp"

#include "media/av.hpp"

extern "C" {
#include <libavutil/motion_vector.h>
}

namespace kinora::media {

std::vector<MotionVector> motion_vectors(const Frame& frame) {
  std::vector<MotionVector> out;
  if (!frame || frame.interlaced()) return out;
  const AVFrameSideData* side = av_frame_get_side_data(frame.av(), AV_FRAME_DATA_MOTION_VECTORS);
  if (side == nullptr) return out;
  const auto* vectors = reinterpret_cast<const AVMotionVector*>(side->data);
  for (std::size_t i = 0; i < side->size / sizeof(AVMotionVector); ++i) {
    const AVMotionVector& vector = vectors[i];
    if (vector.motion_scale == 0) continue;
    const auto scale = static_cast<float>(vector.motion_scale);
    // dst is the block's middle; src is rounded, so the vector itself counts.
    out.push_back({.x = vector.dst_x - vector.w / 2,
                   .y = vector.dst_y - vector.h / 2,
                   .width = vector.w,
                   .height = vector.h,
                   .dx = static_cast<float>(vector.motion_x) / scale,
                   .dy = static_cast<float>(vector.motion_y) / scale,
                   .later = vector.source > 0});
  }
  return out;
}

}  // namespace kinora::media
