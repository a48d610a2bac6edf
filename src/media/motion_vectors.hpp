#pragma once
// The motion vectors that a decoder used for a picture (VideoReaderOptions::motion_vectors). FFmpeg gives them for H.264, MPEG-1/2/4 and
// H.263, not for HEVC, VP9 and AV1. Blocks that were coded without reference have none.
#include <vector>

#include "media/frame.hpp"

namespace kinora::media {

struct MotionVector {
  int x = 0, y = 0, width = 0, height = 0;  // of the block, in pixels of the picture
  float dx = 0, dy = 0;                     // the block was predicted from (x + dx, y + dy) of another picture
  bool later = false;                       // which is shown later than this one
};

// None of an interlaced picture, whose vectors are of fields.
std::vector<MotionVector> motion_vectors(const Frame& frame);

}  // namespace kinora::media
