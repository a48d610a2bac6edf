#pragma once
// What H.264 does to pictures: a sequence encoded by libx264 and decoded again, in memory. The same input gives the same output
// (one encoder thread). Throws Failure.
#include <span>
#include <string>
#include <vector>

#include "media/frame.hpp"

namespace kinora::train {

struct H264Settings {
  int crf = 23;
  std::string preset = "medium";
  int fps = 25;
};

// As many yuv420p pictures as were given, all of one even size, in the same order, colour tags kept. `bytes`, when given,
// receives the size of the stream.
std::vector<media::Frame> through_h264(std::span<const media::Frame> pictures, const H264Settings& settings, std::size_t* bytes = nullptr);

}  // namespace kinora::train
