#pragma once
// One film out of stretches of others, encoded anew so that every cut is exact to the picture and the sample: clip, concat, loop.
//
// The first stretch sets size, depth and colour; others are fitted into it (shape kept, black around), their matrix and range converted.
// Pictures become upright with square pixels and keep their times (variable rate included). The sound of a stretch is cut, or
// lengthened with silence, to the length of its pictures; a film without any sound gets none.
#include <cstdint>
#include <string>
#include <vector>

#include "media/progress.hpp"
#include "media/reel.hpp"
#include "media/soundtrack.hpp"
#include "media/video_writer.hpp"

namespace kinora::media {

inline constexpr int kMaxStretches = 1024;
inline constexpr double kMaxCrossfadeSeconds = 5;

struct ComposeOptions {
  int width = 0, height = 0;       // of the film, even; 0: as the first stretch is shown
  double crossfade_s = 0;          // each stretch begins this long before the one before it ends; 0: hard cuts
  std::optional<double> length_s;  // the film is cut off here
  VideoCodec codec = VideoCodec::h264;
  int crf = 18;
  std::string preset = "veryfast";
  int threads = 0;
  std::int64_t audio_bitrate = 128'000;  // per stereo pair
  // Sound from here instead of the stretches' own (mux).
  std::optional<std::vector<SoundClip>> sound;
  Limits limits;
};
struct Composed {
  std::int64_t frames = 0;
  double duration_s = 0;
};
// invalid: no stretch, one shorter than two crossfades, HDR and SDR together, a film of more than kMaxDurationSeconds.
base::Result<Composed> compose(const std::vector<Stretch>& stretches, const std::string& output, const ComposeOptions& options = {},
                               const Control& control = {});

}  // namespace kinora::media
