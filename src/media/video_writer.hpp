#pragma once
// Encodes frames and writes a file; takes everything that is not that video (audio tracks, subtitles, chapters, metadata,
// display matrix) from a source file, by stream copy where the container can hold the codec, audio else as AAC.
// Frames' pts are kept exactly (variable rate included). With a source, its start time becomes zero of the output for all
// streams alike, except in NUT, which keeps original times.
// Bounded memory: source packets are read as the video advances. Not thread-safe.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/frame.hpp"
#include "media/limits.hpp"

namespace kinora::media {

enum class Container {
  mp4,             // moov first (faststart)
  fragmented_mp4,  // a fragment per key frame, playable while it grows
  mpegts,
  nut  // internal: chunks between machines; any codec, exact timestamps
};
enum class VideoCodec { h264, h265 };

struct VideoWriterOptions {
  Container container = Container::mp4;
  VideoCodec codec = VideoCodec::h264;
  int width = 0;
  int height = 0;
  PixelFormat format = PixelFormat::yuv420p;
  ColorTags color;
  Rational sample_aspect{1, 1};
  Rational time_base{1, 90000};  // clock of frames' pts
  Rational frame_rate{0, 1};     // for rate control and headers; unknown is allowed
  int crf = 18;                  // 0..51, used when bitrate is 0
  std::int64_t bitrate = 0;      // bits per second; peak is 1.5 times, over 2 s
  std::string preset = "veryfast";
  std::string tune;        // empty: none
  int threads = 0;         // 0: the codec's own choice
  int gop = 250;           // longest distance of key frames, in frames
  bool scene_cuts = true;  // extra key frames where the picture changes
  int b_frames = -1;       // -1: the preset's
  // Clockwise degrees to write as display matrix (pictures are not turned). Taken from the source when absent.
  std::optional<int> rotation;
  std::string comment = {};  // "comment" of the file's metadata; empty: none, or the source's
  // The file that the other streams come from; empty: video only.
  std::string source;
  Limits limits;
};

class VideoWriter {
 public:
  // unsupported: no such encoder here; invalid: sizes odd where the encoder needs even ones, source not readable as media.
  static base::Result<VideoWriter> open(const std::string& path, VideoWriterOptions options);
  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;
  // Without finish() the file is removed.
  ~VideoWriter();

  // pts must rise strictly. `key` forces a key frame (IDR).
  base::Status write(const Frame& frame, bool key = false);
  // Flushes, copies the rest of the source's streams, closes. Once. Nothing may be written afterwards.
  base::Status finish();
  std::int64_t frames_written() const;

 private:
  struct State;
  explicit VideoWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kinora::media
