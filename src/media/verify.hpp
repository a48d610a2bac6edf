#pragma once
// Reads a file to its end and decodes its video: is it what its headers say?
#include <cstdint>
#include <string>

#include "media/limits.hpp"
#include "media/probe.hpp"
#include "media/progress.hpp"

namespace kinora::media {

inline constexpr double kMovesForSure = 4;  // 8-bit levels of luma; not measured beyond

struct Verified {
  MediaInfo media;
  std::int64_t frames = 0;          // pictures decoded
  std::int64_t damaged_frames = 0;  // concealed or missing
  int width = 0, height = 0;        // of the pictures
  double duration_s = 0;            // of what is really there, all tracks, from the file's start
  bool blank = true;                // every picture is of one colour
  double movement = 0;              // how far the pictures go from the first: greatest mean difference of 8 x 8 squares, 0..kMovesForSure
  double clarity = 0;               // 0..1, how whole it looks (clarity.hpp)
};
// Also of sound alone (no pictures then). invalid: nothing can be decoded.
base::Result<Verified> verify(const std::string& path, const Limits& limits = {}, const Control& control = {});

}  // namespace kinora::media
