#include "models/tiles.hpp"

#include <algorithm>
#include <cmath>

namespace kinora::models {

std::vector<Tile> plan_tiles(std::int64_t width, std::int64_t height, std::int64_t size_x, std::int64_t size_y, std::int64_t context) {
  std::vector<Tile> tiles;
  for (std::int64_t y = 0; y < height; y += size_y)
    for (std::int64_t x = 0; x < width; x += size_x) {
      const std::int64_t right = std::min(x + size_x, width), bottom = std::min(y + size_y, height);
      tiles.push_back({.x0 = std::max<std::int64_t>(x - context, 0),
                       .y0 = std::max<std::int64_t>(y - context, 0),
                       .x1 = std::min(right + context, width),
                       .y1 = std::min(bottom + context, height),
                       .keep_x0 = x,
                       .keep_y0 = y,
                       .keep_x1 = right,
                       .keep_y1 = bottom});
    }
  return tiles;
}

TileSize choose_tile_size(std::int64_t width, std::int64_t height, std::int64_t context, std::int64_t max_pixels) {
  if (width <= max_pixels / height) return {width, height};
  // Bands over the whole width waste the least context; squares when a band would be thinner than four times its context.
  const std::int64_t band = max_pixels / width - 2 * context;
  if (band >= 8 * context && band >= 1) return {width, band};
  const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(max_pixels))) - 2 * context;
  const std::int64_t tile = std::max<std::int64_t>(side, 1);
  return {std::min(tile, width), std::min(tile, height)};
}

}  // namespace kinora::models
