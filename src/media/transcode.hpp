#pragma once
// The ladder: one decode, N sizes, each encoded once and written at the same time as HLS and as MP4.
//
// Key frames stand at the same times in all renditions: the first frame at or after every multiple of segment_s, and
// nowhere else; GOPs are closed. Frames keep their timestamps (variable rate included). Pixels become square, pictures
// upright. Interlaced pictures are deinterlaced (yadif, one frame per frame). Colour tags stay as they are: 10-bit sources
// (HDR) stay 10 bits; other chroma formats become 4:2:0. Audio: AAC is copied, other codecs become AAC; all tracks.
// A source without video gives audio only.
#include <cstdint>
#include <string>
#include <vector>

#include "media/ladder.hpp"
#include "media/progress.hpp"

namespace kinora::media {

enum class SegmentType { ts, fmp4 };

struct TranscodeOptions {
  std::vector<RenditionRequest> renditions;  // empty: the auto ladder
  VideoCodec codec = VideoCodec::h264;
  std::string preset = "veryfast";
  bool hls = true;
  SegmentType segments = SegmentType::ts;
  double segment_s = 2.0;  // 0.5..30
  bool mp4 = true;
  int threads = 0;                       // per codec, 0: the codec's own choice
  std::int64_t audio_bitrate = 128'000;  // per stereo pair
  Limits limits;
};

struct OutputFile {
  std::string slot;  // "hls": master first, then playlists and segments; "renditions": MP4 files, as in `renditions`
  std::string name;  // the rendition's, empty for the master
  std::string path;  // relative to the output folder
  std::string mime;
};
struct TranscodeResult {
  std::vector<Rendition> renditions;
  std::vector<OutputFile> files;
  std::int64_t frames = 0;          // decoded and encoded per rendition
  std::int64_t damaged_frames = 0;  // concealed
};

// Writes into output_dir (which exists): master.m3u8, <name>/index.m3u8 with its segments, <name>.mp4.
// On failure the caller removes what was written. invalid, unsupported, too_large, canceled, io.
base::Result<TranscodeResult> transcode(const std::string& path, const std::string& output_dir, const TranscodeOptions& options = {},
                                        const Control& control = {});

}  // namespace kinora::media
