#pragma once
// Frames <-> RGB in memory that the caller owns (a tensor's). The matrix and range are the frame's (unspecified matrix:
// BT.709 from 1280x720 up, else BT.601; unspecified range: limited); values stay non-linear R'G'B' in the frame's own
// primaries and transfer, so a round trip keeps HDR. Chroma is interpolated in full. Rotation is not applied.
// One converter serves one thread; it keeps FFmpeg's scaler for the last size and format.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "media/frame.hpp"

namespace kinora::media {

enum class RgbType {
  packed_u8,   // [H, W, 3], 0..255
  planar_u8,   // [3, H, W], 0..255
  planar_u16,  // [3, H, W], 0..65535
  planar_f32   // [3, H, W], 0..1
};

// Memory that somebody else owns: planes R, G, B in this order. Strides in elements (uint8_t, uint16_t, float).
struct RgbView {
  void* data = nullptr;
  RgbType type = RgbType::planar_f32;
  int width = 0;
  int height = 0;
  std::ptrdiff_t row_stride = 0;    // 0: tight (packed: 3 * width, planar: width)
  std::ptrdiff_t plane_stride = 0;  // 0: row_stride * height; unused when packed
};

// The matrix that conversions use: 1 (BT.709), 5/6 (BT.601), 9 (BT.2020) ..., never 2.
int effective_matrix(const ColorTags& tags, int width, int height);

class RgbConverter {
 public:
  // threads: of FFmpeg's scaler.
  explicit RgbConverter(int threads = 1);
  ~RgbConverter();
  RgbConverter(RgbConverter&&) noexcept;
  RgbConverter& operator=(RgbConverter&&) noexcept;

  // Fills `out`, whose size must be the frame's. Any pixel format that FFmpeg decodes to. invalid: sizes differ;
  // unsupported: a pixel format without conversion.
  base::Status to_rgb(const Frame& frame, const RgbView& out);
  // Same with another size, Lanczos: for models that want a fixed input, and for the plain baseline of measurements.
  base::Status to_rgb_scaled(const Frame& frame, const RgbView& out);
  // A new 4:2:0 frame with these tags; odd sizes are allowed (chroma rounds up). pts and the like are the caller's.
  // `matrix_width/height`: the size that an unspecified matrix is judged by (the source's, so that a round trip through an
  // upscaler keeps colours); 0: the picture's own.
  base::Result<Frame> to_frame(const RgbView& rgb, PixelFormat format, const ColorTags& tags, int matrix_width = 0, int matrix_height = 0);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kinora::media
