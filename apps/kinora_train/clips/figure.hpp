#pragma once
// The pixels of a frame that stand out from its background: one connected figure.
#include <vector>

#include "kinora_train/clips/render.hpp"

namespace kinora::train {

// The background's colour in each row, without the light: the median over all columns and frames, and over some rows, since a figure covers
// the lesser part of most rows (the arms of a large star more than half of theirs).
std::vector<Rgb> row_colours(const Clip& clip);

struct Figure {
  int height = 0, width = 0;
  std::vector<bool> inside;  // [height, width]
  int area = 0;              // pixels inside
  Point centre{};            // of them

  bool at(int y, int x) const { return y >= 0 && x >= 0 && y < height && x < width && inside[static_cast<std::size_t>(y) * width + x]; }
};

// The largest connected set of pixels that differ from their row's colour in that light, once single pixels are smoothed away. area 0:
// none.
Figure find_figure(const Clip& clip, int frame, const std::vector<Rgb>& rows);

// How well the figure covers the shape when both have the same centre and area: the common part of their union, 0..1.
double likeness(const Figure& figure, Shape shape);

}  // namespace kinora::train
