#pragma once
// The brightness of a picture with a margin of repeated border pixels, for motion search. Pure, no LibTorch.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/upscaler.hpp"

namespace kinora::models::fast {

// Pixels around the picture that may be read.
inline constexpr int kMargin = 32;

class Luma {
 public:
  Luma() = default;
  // BT.709 luma of any picture, 8 bits.
  explicit Luma(const Picture& picture);

  int width() const { return width_; }
  int height() const { return height_; }
  std::ptrdiff_t stride() const { return stride_; }
  // x, y in [-kMargin, side + kMargin).
  const std::uint8_t* at(int x, int y) const { return samples_.data() + (y + kMargin) * stride_ + x + kMargin; }
  // Takes the rectangle from another of the same size; what it touches of the margin as well.
  void take(const Luma& other, int x0, int y0, int x1, int y1);

 private:
  std::uint8_t* row(int y) { return samples_.data() + (y + kMargin) * stride_ + kMargin; }

  int width_ = 0, height_ = 0;
  std::ptrdiff_t stride_ = 0;
  std::vector<std::uint8_t> samples_;
};

}  // namespace kinora::models::fast
