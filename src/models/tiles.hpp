#pragma once
// Cuts a picture into tiles with context around each, so that a network with a finite receptive field gives the same pixels tile by
// tile as it does on the whole. Pure arithmetic, no LibTorch.
#include <cstdint>
#include <vector>

namespace kinora::models {

// One tile: the network runs on [x0, x1) x [y0, y1) and the pixels of [keep_x0, keep_x1) x [keep_y0, keep_y1) are kept.
// All in input pixels of the whole picture; the kept parts cover it without overlap.
struct Tile {
  std::int64_t x0, y0, x1, y1;
  std::int64_t keep_x0, keep_y0, keep_x1, keep_y1;
};

// size: sides of the kept part (the last row and column may be smaller), context: pixels added on each side, clipped at the border.
// width, height, size >= 1; context >= 0. Row by row.
std::vector<Tile> plan_tiles(std::int64_t width, std::int64_t height, std::int64_t size_x, std::int64_t size_y, std::int64_t context);

// The largest tile such that (tile + 2 context)^2 <= max_pixels, or the whole picture when it fits; at least 1.
struct TileSize {
  std::int64_t x, y;
};
TileSize choose_tile_size(std::int64_t width, std::int64_t height, std::int64_t context, std::int64_t max_pixels);

}  // namespace kinora::models
