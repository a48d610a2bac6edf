#pragma once
// How a picture lies in its file: multiples of 90 degrees, perhaps mirrored. Pure.
#include <array>
#include <cstddef>
#include <cstdint>

#include "runner/picture_buffer.hpp"

namespace kinora::runner {

// Where a stored pixel goes: (x, y) -> (xx x + yx y, xy x + yy y), moved so that the picture begins at 0. Each factor is -1, 0 or 1.
struct Orientation {
  int xx = 1, xy = 0, yx = 0, yy = 1;
  bool upright() const { return xx == 1 && yy == 1; }
  bool swaps_sides() const { return xx == 0; }
};

// From a display matrix (16.16 fixed point, rows a b u, c d v); anything but a multiple of 90 degrees is taken as upright.
Orientation orientation_of(const std::array<std::int32_t, 9>& matrix);

// width x height pixels of `pixel_bytes` each, without gaps -> turned.
Buffer turn(const Buffer& pixels, std::int64_t width, std::int64_t height, std::size_t pixel_bytes, const Orientation& orientation);

}  // namespace kinora::runner
