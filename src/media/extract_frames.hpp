#pragma once
// Pictures of a video as files, upright and with square pixels: every one, or those of an even pace, or so many over the whole.
#include <optional>
#include <string>
#include <vector>

#include "media/image.hpp"
#include "media/limits.hpp"
#include "media/progress.hpp"

namespace kinora::media {

inline constexpr int kMaxExtractedFrames = 1000;

struct ExtractFramesOptions {
  double start_s = 0;
  std::optional<double> end_s;
  // At most one of the two. Neither: every picture.
  std::optional<double> fps;             // the picture on the screen at each multiple of 1/fps
  std::optional<int> count;              // so many, spread evenly: the middles of equal parts; each picture once
  int max_frames = kMaxExtractedFrames;  // more is an error, not a shorter list
  ImageType type = ImageType::jpeg;
  int quality = 90;
  int width = 0;  // 0: as the video; never larger
  Limits limits;
};
struct ExtractedFrame {
  std::string file;  // frame_00001.jpg
  double at_s = 0;   // when the picture begins, from the file's start
};
// Writes into output_dir. conflict: no picture in the range, both fps and count; too_large: more pictures than max_frames.
base::Result<std::vector<ExtractedFrame>> extract_frames(const std::string& path, const std::string& output_dir,
                                                         const ExtractFramesOptions& options = {}, const Control& control = {});

}  // namespace kinora::media
