#include "models/tiles.hpp"

#include <gtest/gtest.h>

namespace kinora::models {
namespace {

TEST(PlanTiles, keeps_every_pixel_exactly_once) {
  std::vector<int> seen(44 * 30);
  for (const Tile& tile : plan_tiles(44, 30, 16, 16, 6)) {
    EXPECT_LE(tile.x0, tile.keep_x0);
    EXPECT_GE(tile.x1, tile.keep_x1);
    for (auto y = tile.keep_y0; y < tile.keep_y1; ++y)
      for (auto x = tile.keep_x0; x < tile.keep_x1; ++x) ++seen[static_cast<std::size_t>(y * 44 + x)];
  }
  for (const int count : seen) ASSERT_EQ(count, 1);
}

TEST(PlanTiles, adds_context_inside_the_picture_only) {
  const auto tiles = plan_tiles(10, 4, 5, 4, 2);
  ASSERT_EQ(tiles.size(), 2U);
  EXPECT_EQ(tiles[0].x0, 0);
  EXPECT_EQ(tiles[0].x1, 7);
  EXPECT_EQ(tiles[1].x0, 3);
  EXPECT_EQ(tiles[1].x1, 10);
  EXPECT_EQ(tiles[1].y0, 0);
  EXPECT_EQ(tiles[1].y1, 4);
}

TEST(ChooseTileSize, takes_the_whole_picture_when_it_fits) {
  const auto size = choose_tile_size(640, 360, 10, 640 * 360);
  EXPECT_EQ(size.x, 640);
  EXPECT_EQ(size.y, 360);
}

TEST(ChooseTileSize, stays_within_the_budget_with_context) {
  for (const std::int64_t budget : {20'000, 100'000, 1'000'000}) {
    const auto size = choose_tile_size(3840, 2160, 10, budget);
    for (const Tile& tile : plan_tiles(3840, 2160, size.x, size.y, 10)) ASSERT_LE((tile.x1 - tile.x0) * (tile.y1 - tile.y0), budget);
  }
}

TEST(ChooseTileSize, never_gives_an_empty_tile) {
  const auto size = choose_tile_size(100, 100, 50, 10);
  EXPECT_GE(size.x, 1);
  EXPECT_GE(size.y, 1);
  EXPECT_EQ(choose_tile_size(1'000'000'000'000, 1, 10, 400).y, 1);
}

}  // namespace
}  // namespace kinora::models
