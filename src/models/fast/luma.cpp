#include "models/fast/luma.hpp"

#include <cstring>

namespace kinora::models::fast {
namespace {

// BT.709 in 1/256.
constexpr int kRed = 54, kGreen = 183, kBlue = 19;

}  // namespace

Luma::Luma(const Picture& picture)
    : width_(static_cast<int>(picture.width)),
      height_(static_cast<int>(picture.height)),
      stride_(width_ + 2 * kMargin),
      samples_(static_cast<std::size_t>(stride_) * static_cast<std::size_t>(height_ + 2 * kMargin)) {
  const auto pixels = static_cast<std::ptrdiff_t>(picture.width) * height_;
  for (int y = 0; y < height_; ++y) {
    std::uint8_t* out = row(y);
    if (picture.type == SampleType::packed_u8) {
      const auto* in = static_cast<const std::uint8_t*>(picture.data) + 3 * static_cast<std::ptrdiff_t>(y) * width_;
      for (int x = 0; x < width_; ++x)
        out[x] = static_cast<std::uint8_t>((kRed * in[3 * x] + kGreen * in[3 * x + 1] + kBlue * in[3 * x + 2] + 128) >> 8);
    } else {
      const auto* in = static_cast<const std::uint16_t*>(picture.data) + static_cast<std::ptrdiff_t>(y) * width_;
      for (int x = 0; x < width_; ++x)
        out[x] = static_cast<std::uint8_t>((kRed * in[x] + kGreen * in[x + pixels] + kBlue * in[x + 2 * pixels]) >> 16);
    }
    std::memset(out - kMargin, out[0], kMargin);
    std::memset(out + width_, out[width_ - 1], kMargin);
  }
  for (int y = 1; y <= kMargin; ++y) {
    std::memcpy(row(-y) - kMargin, row(0) - kMargin, static_cast<std::size_t>(stride_));
    std::memcpy(row(height_ - 1 + y) - kMargin, row(height_ - 1) - kMargin, static_cast<std::size_t>(stride_));
  }
}

void Luma::take(const Luma& other, int x0, int y0, int x1, int y1) {
  if (x0 == 0) x0 = -kMargin;
  if (y0 == 0) y0 = -kMargin;
  if (x1 == width_) x1 += kMargin;
  if (y1 == height_) y1 += kMargin;
  for (int y = y0; y < y1; ++y) std::memcpy(row(y) + x0, other.at(x0, y), static_cast<std::size_t>(x1 - x0));
}

}  // namespace kinora::models::fast
