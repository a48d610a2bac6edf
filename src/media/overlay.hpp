#pragma once
// A still picture (a logo, a watermark, a title) laid over a video, its transparency honoured. Everything else of the video is carried
// along: sound, subtitles, metadata, times of the pictures. Pictures become upright with square pixels.
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "media/limits.hpp"
#include "media/progress.hpp"

namespace kinora::media {

struct OverlayOptions {
  // Where the picture stands in what is left beside it: 0 is the left or upper margin, 1 the right or lower one.
  double x = 1, y = 1;
  double margin = 0.02;         // of the video's shorter side, 0..0.5
  double width = 0.2;           // of the video's width, 0.01..1; the height follows the picture's shape, and both stay inside the video
  double opacity = 1;           // 0..1
  double start_s = 0;           // shown from here
  std::optional<double> end_s;  // until here; absent: to the end
  int crf = 18;
  std::string preset = "veryfast";
  int threads = 0;
  Limits limits;
};
// Returns the number of pictures. invalid: options out of range; unsupported: no video, or no picture in `image`.
base::Result<std::int64_t> overlay(const std::string& video, const std::string& image, const std::string& output,
                                   const OverlayOptions& options = {}, const Control& control = {});

}  // namespace kinora::media
