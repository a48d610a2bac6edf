#pragma once
// Which renditions to make of a video: pure arithmetic on sizes and rates, no media.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/limits.hpp"
#include "media/probe.hpp"
#include "media/video_writer.hpp"

namespace kinora::media {

// What is asked. Zeros are chosen from the source.
struct RenditionRequest {
  std::string name;  // empty: "720p" (short side)
  int width = 0;     // the picture fits inside width x height, shape kept, never larger than the source
  int height = 0;
  std::int64_t bitrate = 0;  // bits per second
  int crf = -1;              // 0..51; with neither bitrate nor crf: bitrate from the table
  double max_fps = 0;        // frames are left out above this rate; 0: the source's
};

struct Rendition {
  std::string name;
  int width = 0;  // even, square pixels, upright
  int height = 0;
  std::int64_t bitrate = 0;  // 0: crf rules
  int crf = -1;
  double max_fps = 0;
};

// Width and height of the source as shown: square pixels, turned upright. Never upscales the coded area's larger side:
// wide pixels widen the picture, tall pixels make it taller.
struct DisplaySize {
  int width = 0;
  int height = 0;
};
DisplaySize display_size(const StreamInfo& video);

// H.264 bits per second for a picture's size and rate, from the table in docs/media.md.
std::int64_t default_bitrate(int width, int height, double frame_rate);

// "auto": the largest 3 of short sides {1080, 720, 480, 360, 240} that the source reaches (the source's own size when it is
// smaller than all), largest first.
std::vector<Rendition> auto_ladder(const StreamInfo& video, int count = 3);
// Fits each request to the source. invalid: more than kMaxRenditions, names not [a-z0-9_-]{1,32}, numbers out of range; conflict: equal
// names.
base::Result<std::vector<Rendition>> fit_ladder(const StreamInfo& video, const std::vector<RenditionRequest>& requests);

}  // namespace kinora::media
