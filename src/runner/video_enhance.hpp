#pragma once
// A video made larger, brought to another picture rate, or both in one pass: decode -> networks -> encode, three threads with short queues
// between them. No temporary files, and memory that does not grow with the clip's length. Timestamps, colour, rotation, sound, subtitles
// and metadata stay (media/video_writer.hpp). Sources with more than 8 bits a sample give 10-bit HEVC, others 8-bit H.264. Interlaced
// pictures are deinterlaced first, one for one (media/video_reader.hpp); transparency is left out.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/limits.hpp"
#include "media/progress.hpp"
#include "runner/interpolation_step.hpp"
#include "runner/step_order.hpp"
#include "runner/upscale_step.hpp"

namespace kinora::runner {

struct VideoEnhance {
  std::string input;
  std::string output;
  // At least one of them.
  std::optional<Upscaling> upscale = std::nullopt;
  std::optional<Interpolation> interpolate = std::nullopt;
  Op first = Op::interpolate;  // of both (step_order.hpp)
  int crf = 18;
  std::string preset = "superfast";
  // Only pictures with start_pts <= pts < end_pts, in ticks of the stream's own clock: a chunk of cut.hpp. For an interpolation it was cut
  // with look_ahead (the picture at end_pts is only looked at), and origin_pts is the whole video's first.
  struct Range {
    std::int64_t start_pts = 0, end_pts = 0, origin_pts = 0;
  };
  std::optional<Range> range = std::nullopt;
  bool video_only = false;    // a NUT file on the video's clock, without the other streams
  int codec_threads = 0;      // of the encoder; 0: as many as processors
  media::Limits limits = {};  // max_pixels bounds the source's picture
};

// The networks that a request needs; each belongs to the calling thread while enhance_video() runs.
struct Networks {
  models::Upscaler* upscaler = nullptr;
  models::Interpolator* interpolator = nullptr;
};

struct VideoEnhanced {
  std::int64_t frames = 0;         // written
  std::int64_t source_frames = 0;  // read; not those that were only looked at
  int width = 0, height = 0;
  std::vector<Op> ops;                                                           // in the order they were done
  std::int64_t damaged_frames = 0, deinterlaced_frames = 0, resized_frames = 0;  // of the source (media/video_reader.hpp)
  bool alpha_dropped = false;
  std::optional<models::fast::Counts> accelerated = std::nullopt;
  std::optional<InterpolationCounts> interpolated = std::nullopt;
};

// Runs the networks on the calling thread. `control.report` is called from it, after each picture; a requested stop ends with
// ErrorCode::canceled after the picture in work, and the output is removed. The networks' exceptions pass through.
// invalid: no picture, an ensemble that the network does not have; unsupported: no video; too_large: source or result beyond limits;
// exhausted: memory_bytes do not do.
base::Result<VideoEnhanced> enhance_video(const VideoEnhance& request, const Networks& networks, const media::Control& control);

}  // namespace kinora::runner
