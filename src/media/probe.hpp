#pragma once
// What a media file holds. Reads headers and the first packets, never the whole file; allocates no picture larger than
// the limits. Opens the one file given and nothing else: playlists and references to other files are refused.
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/frame.hpp"
#include "media/limits.hpp"

namespace kinora::media {

enum class StreamType { video, audio, subtitle, data, cover };  // cover: an attached picture, not a real video

struct StreamInfo {
  int index = 0;
  StreamType type = StreamType::data;
  std::string codec;  // FFmpeg's name, "h264"; "unknown" when the container's code means nothing to us
  bool decodable = false;
  std::string language;  // ISO 639-2, empty: not stated
  std::string title;
  bool is_default = false;
  Rational time_base{1, 1};
  std::optional<double> start_s;
  std::optional<double> duration_s;
  std::int64_t bitrate = 0;  // bits per second, 0: unknown
  std::int64_t frames = 0;   // as the container says, 0: unknown
  // video and cover
  int width = 0, height = 0;  // of the picture as coded, before rotation and sample aspect
  Rational sample_aspect{0, 1};
  int rotation = 0;           // clockwise degrees to apply for display: 0, 90, 180, 270
  bool mirrored = false;      // after turning, left and right are exchanged
  Rational frame_rate{0, 1};  // lowest rate that all timestamps fit on (guess)
  Rational average_rate{0, 1};
  bool variable_rate = false;  // timestamps of the first packets, or the two rates, disagree
  std::string pixel_format;
  int bit_depth = 0;
  ColorTags color;
  bool interlaced = false;  // as the headers say
  // audio
  int channels = 0;
  int sample_rate = 0;
};

struct MediaInfo {
  std::string format;     // FFmpeg's demuxer name, "mov,mp4,m4a,3gp,3g2,mj2"
  double duration_s = 0;  // 0: unknown (a still picture, a raw stream)
  double start_s = 0;
  std::int64_t bitrate = 0;
  std::int64_t bytes = 0;
  std::vector<StreamInfo> streams;
  // The video that a player would show: largest default one, never a cover. nullptr: none.
  const StreamInfo* video() const;
  const StreamInfo* first(StreamType type) const;
};

// invalid: no media, empty, cut off before the headers; unsupported: a kind of file that we refuse (playlists);
// too_large: a limit is passed; io: cannot be read.
base::Result<MediaInfo> probe(const std::string& path, const Limits& limits = {});

// The shape in docs/media.md ("media object").
boost::json::object to_json(const MediaInfo& info);

}  // namespace kinora::media
