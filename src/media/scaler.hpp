#pragma once
// swscale with a memory of its last set-up. Inside this room only; one thread at a time.
#include "media/av.hpp"
#include "media/frame.hpp"

namespace kinora::media {

class Scaler {
 public:
  // What happens between two YUV pictures whose tags differ: the values stay (the tags are then the caller's matter), or they are
  // brought from one matrix and range to the other. Primaries and transfer are never converted.
  enum class Colors { keep, convert };
  // flags: SWS_*. threads: slices scaled in parallel.
  explicit Scaler(int flags, int threads = 1, Colors colors = Colors::keep) : flags_(flags), threads_(threads), colors_(colors) {}

  // Fills `to`, which has its size, format, colour tags and buffers. YUV <-> RGB uses the YUV side's matrix and range,
  // judged by matrix_width x matrix_height when unspecified. YUV -> YUV changes matrix or range only with Colors::convert. unsupported:
  // swscale has no way between the formats.
  base::Status run(const AVFrame& from, AVFrame& to, int matrix_width, int matrix_height);

 private:
  struct Shape {
    int width = 0, height = 0, format = -1, matrix = -1, full = 0;
    friend bool operator==(const Shape&, const Shape&) = default;
  };
  base::Status set_up(const Shape& from, const Shape& to);

  int flags_;
  int threads_;
  Colors colors_;
  Av<SwsContext> context_;
  Shape from_, to_;
};

// yuvj420p -> yuv420p and so on, with range full: same bytes, honest name.
void name_range_honestly(AVFrame& frame);

}  // namespace kinora::media
