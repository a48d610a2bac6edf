#include "runner/orientation.hpp"

#include <cstdlib>
#include <cstring>

namespace kinora::runner {

Orientation orientation_of(const std::array<std::int32_t, 9>& matrix) {
  const auto sign = [](std::int32_t value) { return (value > 0) - (value < 0); };
  const Orientation found{.xx = sign(matrix[0]), .xy = sign(matrix[1]), .yx = sign(matrix[3]), .yy = sign(matrix[4])};
  const bool straight = found.xy == 0 && found.yx == 0 && found.xx != 0 && found.yy != 0;
  const bool turned = found.xx == 0 && found.yy == 0 && found.xy != 0 && found.yx != 0;
  return straight || turned ? found : Orientation{};
}

Buffer turn(const Buffer& pixels, std::int64_t width, std::int64_t height, std::size_t pixel_bytes, const Orientation& orientation) {
  const auto& o = orientation;
  Buffer out(pixels.size());
  const std::int64_t out_width = o.swaps_sides() ? height : width;
  const std::int64_t left = (o.xx < 0 ? width - 1 : 0) + (o.yx < 0 ? height - 1 : 0);
  const std::int64_t top = (o.xy < 0 ? width - 1 : 0) + (o.yy < 0 ? height - 1 : 0);
  const std::uint8_t* from = pixels.data();
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x, from += pixel_bytes) {
      const std::int64_t to = (top + o.xy * x + o.yy * y) * out_width + left + o.xx * x + o.yx * y;
      std::memcpy(out.data() + static_cast<std::size_t>(to) * pixel_bytes, from, pixel_bytes);
    }
  return out;
}

}  // namespace kinora::runner
