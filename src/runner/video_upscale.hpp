#pragma once
// A video made larger: decode -> network -> encode, three threads with short queues between them. No temporary files, and memory
// that does not grow with the clip's length. Timestamps, colour, rotation, sound, subtitles and metadata stay (media/video_writer.hpp).
// Sources with more than 8 bits a sample give 10-bit HEVC, others 8-bit H.264.
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "media/limits.hpp"
#include "media/progress.hpp"
#include "models/fast/fast_upscaler.hpp"
#include "models/upscaler.hpp"

namespace kinora::runner {

// Pictures waiting between two threads.
inline constexpr std::size_t kQueuedPictures = 3;

struct VideoUpscale {
  std::string input;
  std::string output;
  double scale = 2;  // of each side; when it is not the network's own, the result is resampled. Sides are rounded up to even
  int crf = 18;
  std::string preset = "superfast";
  // Only frames with start_pts <= pts < end_pts, in ticks of the stream's own clock.
  struct Range {
    std::int64_t start_pts = 0;
    std::int64_t end_pts = 0;
  };
  std::optional<Range> range = std::nullopt;
  // Only new parts of a picture go through the network, the rest is carried along the motion (models/fast/fast_upscaler.hpp).
  enum class Accelerate { off, fast, automatic };
  Accelerate accelerate = Accelerate::off;
  bool video_only = false;    // a NUT file on the source's clock, without the other streams
  int codec_threads = 0;      // of the encoder; 0: as many as processors
  media::Limits limits = {};  // max_pixels bounds the source's picture
};

struct VideoUpscaled {
  std::int64_t frames = 0;
  std::int64_t damaged_frames = 0;
  int width = 0, height = 0;
  std::optional<models::fast::Counts> accelerated = std::nullopt;
};

// Runs the network on the calling thread. `control.report` is called from it, after each frame; a requested stop ends with
// ErrorCode::canceled after the frame in work, and the output is removed. The upscaler's exceptions pass through.
base::Result<VideoUpscaled> upscale_video(const VideoUpscale& request, models::Upscaler& upscaler, const media::Control& control);

}  // namespace kinora::runner
