#pragma once
// A video with another file's sound. The pictures are copied as they are where MP4 can hold their codec, and encoded otherwise; the
// film lasts as long as its pictures: the sound is cut, or followed by silence.
#include <string>

#include "media/compose.hpp"

namespace kinora::media {

struct MuxOptions {
  double offset_s = 0;                   // when the sound begins, on the video's clock; below zero: its beginning is cut off
  bool mix = false;                      // over the video's own sound instead of in its place
  std::int64_t audio_bitrate = 128'000;  // per stereo pair
  Limits limits;
};
// unsupported: `video` has no pictures, or `audio` no sound that can be decoded.
base::Result<Composed> mux(const std::string& video, const std::string& audio, const std::string& output, const MuxOptions& options = {},
                           const Control& control = {});

}  // namespace kinora::media
