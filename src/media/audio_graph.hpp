#pragma once
// Decoded sound brought to one sample format, rate and layout by FFmpeg's filters. Inside this room only.
#include <string>

#include "media/av.hpp"

namespace kinora::media {

struct AudioShape {
  AVSampleFormat format = AV_SAMPLE_FMT_FLTP;
  int rate = 48000;
  std::string layout = "stereo";  // FFmpeg's description
  int frame_samples = 0;          // of each frame that comes out, 0: any
  bool follow_times = false;      // gaps of the timestamps become silence, overlaps are trimmed
};
std::string layout_text(const AVChannelLayout& layout);
std::string default_layout(int channels);

class AudioGraph {
 public:
  // For frames like this one, whose timestamps count in `base`.
  static base::Result<AudioGraph> make(const AVFrame& first, AVRational base, const AudioShape& shape);
  AudioGraph() = default;
  explicit operator bool() const { return graph_ != nullptr; }
  // Would this frame need another graph?
  bool fits(const AVFrame& frame) const;
  base::Status push(AVFrame* frame);  // nullptr: the end
  // False: nothing (more) to take.
  base::Result<bool> pull(AVFrame& out);
  AVRational time_base() const;  // of what comes out

 private:
  Av<AVFilterGraph> graph_;
  AVFilterContext* source_ = nullptr;
  AVFilterContext* target_ = nullptr;
  int format_ = -1, rate_ = 0, channels_ = 0;
};

}  // namespace kinora::media
