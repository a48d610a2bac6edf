#pragma once
// What a network adds to a picture: the enlarged picture less the bicubic one. It is carried from picture to picture, while the bicubic
// part always comes from the picture itself, so that nothing coarse can drift. Pure, no LibTorch.
//
// Counts in 1/64 of an 8-bit level, for pictures of both sample types. Layout as the type's: [H, W, 3] or [3, H, W].
#include <cstdint>
#include <vector>

#include "models/upscaler.hpp"

namespace kinora::models::fast {

inline constexpr int kUnit = 64;

class Layer {
 public:
  Layer() = default;
  Layer(SampleType type, int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  int planes() const { return planes_; }
  int samples_per_pixel() const { return step_; }  // in one plane
  std::int16_t* row(int plane, int y) { return values_.data() + (static_cast<std::ptrdiff_t>(plane) * height_ + y) * width_ * step_; }
  const std::int16_t* row(int plane, int y) const { return const_cast<Layer*>(this)->row(plane, y); }

 private:
  int width_ = 0, height_ = 0, planes_ = 0, step_ = 0;
  std::vector<std::int16_t> values_;
};

// The picture enlarged `scale` times (1..8), bicubic (a = -0.5), edges repeated, pixel centres aligned as Pillow and torch do without
// antialias.
Layer bicubic(const Picture& picture, int scale);
// enlarged - base, of the whole picture. enlarged: of the base's size and type.
Layer difference(const Picture& enlarged, const Layer& base);
// base + detail, rounded and clamped to samples of the type.
void add(const Layer& base, const Layer& detail, SampleType type, void* out);

}  // namespace kinora::models::fast
