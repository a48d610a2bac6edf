#pragma once
// Decoded pictures of a file's video, one after the other, in display order. Bounded memory: a few frames.
// Not thread-safe; FFmpeg's decoder threads are inside.
//
// All frames have the size and pixel format of the first (a stream that changes in the middle is scaled), and pts that rise
// strictly (one that does not, in a broken file, becomes the last plus one tick). Full-range "yuvj" formats are given as
// "yuv" with range full. Colour tags that only the container states are on the frames as well.
// With `deinterlace`, pictures that are flagged as interlaced become progressive ones, one for one (yadif): as many, at the same times.
// They depend on their neighbours, those beyond `start` and `end` too, and on nothing else. Damaged pictures are concealed as FFmpeg does
// and counted. A file that ends early gives what could be decoded; it is an error only when nothing could.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "media/frame.hpp"
#include "media/limits.hpp"
#include "media/probe.hpp"

namespace kinora::media {

struct VideoReaderOptions {
  // Frames with start <= pts < end are given, exactly; others are decoded as needed and dropped. Ticks of the stream's
  // clock in a plan of cut.hpp, or any clock.
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
  bool look_ahead = false;  // also the first one behind `end`
  // Also the picture that is on the screen at `start`, given with that time, when no frame begins exactly there.
  bool shown_at_start = false;
  int threads = 0;  // decoder threads, 0: the codec's own choice
  // Jump to the key frame before `start` instead of decoding from the beginning. Files without an index are read through.
  bool seek = false;
  // Frames carry the codec's motion vectors (motion_vectors.hpp), where its decoder gives them.
  bool motion_vectors = false;
  bool deinterlace = false;
  Limits limits;
};

class VideoReader {
 public:
  // invalid: no media; unsupported: no video, or no decoder for it; too_large: limits.
  static base::Result<VideoReader> open(const std::string& path, VideoReaderOptions options = {});
  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;
  ~VideoReader();

  // The next picture; nullopt at the end. invalid: not one picture could be decoded; too_large: a picture beyond limits.
  base::Result<std::optional<Frame>> next();

  const StreamInfo& stream() const;  // of the video that is read
  const MediaInfo& media() const;
  Rational time_base() const;        // of every frame's pts
  std::int64_t frames_read() const;  // given out so far
  // Within `start` and `end`:
  std::int64_t damaged_frames() const;
  std::int64_t deinterlaced_frames() const;
  std::int64_t resized_frames() const;  // brought to the first one's size or pixel format
  // Best knowledge of how many frames there will be (0: unknown): the container's count, or duration * average rate.
  std::int64_t frames_expected() const;

 private:
  struct State;
  explicit VideoReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kinora::media
