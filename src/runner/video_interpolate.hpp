#pragma once
// A video at a higher (or any other) picture rate: decode -> network -> encode, three threads with short queues between them. No temporary
// files, and memory that does not grow with the clip's length. Source pictures that are shown are passed on as they were decoded. Times are
// exact (timeline.hpp): the video begins and ends with the source's, sound stays in step. Colour, rotation, sound, subtitles and
// metadata stay (media/video_writer.hpp). Sources with more than 8 bits a sample give 10-bit HEVC, others 8-bit H.264; odd sides become
// even.
//
// Nothing is made up over a cut or a gap of more than kMaxGap picture times: what was there before stays for the first half, what comes
// after is shown for the second. A frame that repeats the one before is not shown again but replaced by movement (one in a row, as in
// animation drawn on twos).
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "media/limits.hpp"
#include "media/progress.hpp"
#include "models/interpolator.hpp"
#include "runner/timeline.hpp"

namespace kinora::runner {

inline constexpr double kMaxGap = 2.5;
// Sides from which the automatic scale is 0.5: flows of 4K pictures are longer than the network sees at 1.
inline constexpr int kLargeSide = 2600;

struct VideoInterpolate {
  std::string input;
  std::string output;
  NewRate rate = Factor{2};
  std::optional<double> scale = std::nullopt;  // absent: by the picture's size
  bool ensemble = false;
  bool keep_repeats = false;  // show repeated frames as they are
  int crf = 18;
  std::string preset = "superfast";
  // A chunk of cut.hpp that was cut with look_ahead: pictures shown from start_pts to before end_pts; that at end_pts is only looked at.
  // origin_pts is the whole video's first. Ticks of the chunk's clock.
  struct Range {
    std::int64_t start_pts = 0, end_pts = 0, origin_pts = 0;
  };
  std::optional<Range> range = std::nullopt;
  bool video_only = false;         // a NUT file on the timeline's clock, without the other streams
  int codec_threads = 0;           // of the encoder; 0: as many as processors
  std::uint64_t memory_bytes = 0;  // what the network may take; 0: not checked
  media::Limits limits = {};       // max_pixels bounds the source's picture
};

struct VideoInterpolated {
  std::int64_t frames = 0;         // written
  std::int64_t source_frames = 0;  // read
  std::int64_t made = 0;           // by the network
  std::int64_t cuts = 0;           // and gaps
  std::int64_t repeats = 0;        // replaced by movement
  std::int64_t damaged_frames = 0;
  int width = 0, height = 0;
};

// Runs the network on the calling thread. `control.report` is called from it, after each picture; a requested stop ends with
// ErrorCode::canceled after the picture in work, and the output is removed. The interpolator's exceptions pass through.
// unsupported: interlaced video; invalid: an ensemble that the network does not have; exhausted: memory_bytes do not do.
base::Result<VideoInterpolated> interpolate_video(const VideoInterpolate& request, models::Interpolator& interpolator,
                                                  const media::Control& control);

}  // namespace kinora::runner
