#include "kinora_train/clips/scene.hpp"

#include <gtest/gtest.h>

#include <set>

#include "kinora_train/clips/render.hpp"

namespace kinora::train {
namespace {

TEST(Scene, distances_of_colours_are_euclidean) {
  EXPECT_DOUBLE_EQ(distance({0, 0, 0}, {1, 0, 0}), 1);
  EXPECT_DOUBLE_EQ(distance({0.25, 0.5, 0.5}, {0.25, 0.1, 0.8}), 0.5);  // 3, 4, 5
}

TEST(Scene, a_colour_on_its_like_is_left_out) {
  EXPECT_FALSE(visible(Colour::white, Background::snow));
  EXPECT_FALSE(visible(Colour::black, Background::night));
  EXPECT_TRUE(visible(Colour::red, Background::sky));
  EXPECT_FALSE(visible(Colour::white, Background::sky));  // where the light falls in
  // 4 shapes, 4 directions, and 45 of 8 x 6 colours on backgrounds.
  EXPECT_EQ(all_combinations().size(), 4U * 4U * 45U);
}

TEST(Scene, light_is_added_at_the_left_taken_away_at_the_right_and_nothing_in_the_middle) {
  const Rgb grey{0.5, 0.5, 0.5};
  EXPECT_DOUBLE_EQ(lit(grey, 0).red, 0.62);
  EXPECT_DOUBLE_EQ(lit(grey, 0).blue, 0.44);
  EXPECT_DOUBLE_EQ(lit(grey, 1).green, 0.44);
  EXPECT_DOUBLE_EQ(distance(lit(grey, 0.5), grey), 0);
  EXPECT_DOUBLE_EQ(lit({1, 1, 0}, 0).red, 1);  // colours end at 0 and 1
  EXPECT_DOUBLE_EQ(lit({1, 1, 0}, 0).blue, 0);
}

TEST(Scene, combinations_are_trained_on_or_held_out_and_never_both) {
  const auto all = all_combinations(), seen = combinations(false), held = combinations(true);
  const std::set<Combination> seen_set(seen.begin(), seen.end()), held_set(held.begin(), held.end());
  EXPECT_EQ(seen_set.size() + held_set.size(), all.size());
  for (const auto& combination : held) EXPECT_FALSE(seen_set.contains(combination));
  EXPECT_GE(held.size(), 100U);  // as many as the check asks for
  EXPECT_GT(static_cast<double>(held.size()), 0.13 * static_cast<double>(all.size()));
  EXPECT_LT(static_cast<double>(held.size()), 0.21 * static_cast<double>(all.size()));
}

TEST(Scene, every_value_of_every_property_is_trained_on) {
  std::set<Shape> shapes;
  std::set<Colour> colours;
  std::set<Direction> directions;
  std::set<Background> backgrounds;
  for (const auto& c : combinations(false)) {
    shapes.insert(c.shape);
    colours.insert(c.colour);
    directions.insert(c.direction);
    backgrounds.insert(c.background);
  }
  EXPECT_EQ(shapes.size(), kShapes.size());
  EXPECT_EQ(colours.size(), kColours.size());
  EXPECT_EQ(directions.size(), kDirections.size());
  EXPECT_EQ(backgrounds.size(), kBackgrounds.size());
}

TEST(Scene, the_shape_stays_within_the_picture) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const auto all = all_combinations();
    const Scene scene = draw_scene(all[seed * 13 % all.size()], random);
    for (const int frame : {0, kClipFrames - 1}) {
      const Point middle = centre(scene, frame);
      // No point of the picture's border lies within the shape.
      for (double along = 0; along <= kClipSide; along += 1) {
        for (const Point p : {Point{along, 0}, {along, kClipSide}, {0, along}, {kClipSide, along}})
          EXPECT_GT(edge_distance(scene.what.shape, scene.radius, p.x - middle.x, p.y - middle.y), 0) << name(scene.what.shape) << seed;
      }
    }
  }
}

}  // namespace
}  // namespace kinora::train
