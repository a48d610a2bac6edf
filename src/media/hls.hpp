#pragma once
// HLS (RFC 8216): media playlists by FFmpeg's muxer, the master playlist by us. Inside this room only.
#include <string>
#include <vector>

#include "media/av.hpp"
#include "media/frame.hpp"
#include "media/muxer.hpp"
#include "media/transcode.hpp"

namespace kinora::media {

// Every playlist's clock starts here, so that no muxer has to shift negative times on its own and pull sound from picture.
inline constexpr std::int64_t kHlsStartSeconds = 10;

// `folder`/index.m3u8 and its segments; the folder exists.
base::Result<Muxer> open_hls(const std::string& folder, SegmentType type, double segment_s);

// RFC 6381 name: "avc1.64001f", "hvc1.2.4.L120.B0", "mp4a.40.2"; empty: unknown.
std::string codec_string(const AVCodecParameters& parameters);

struct HlsVariant {
  std::string uri;     // relative to the master
  std::string folder;  // where its segments lie, for their sizes
  std::string codecs;  // of the video
  int width = 0, height = 0;
  double frame_rate = 0;
  int transfer = 2;  // H.273
};
struct HlsAudio {
  std::string uri, folder, codecs, name, language;
  bool is_default = false;
};
// The master playlist's text. `audio`: tracks in playlists of their own; `muxed_audio`: codec of sound inside the variants.
// io: a playlist or segment cannot be read.
base::Result<std::string> master_playlist(const std::vector<HlsVariant>& variants, const std::vector<HlsAudio>& audio,
                                          const std::string& muxed_audio);

}  // namespace kinora::media
