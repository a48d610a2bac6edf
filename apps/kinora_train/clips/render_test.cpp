#include "kinora_train/clips/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kinora::train {
namespace {

using ::testing::ElementsAre;

std::vector<int> pixel(const Clip& clip, int frame, int y, int x) {
  const auto* const p = clip.at(frame, y, x);
  return {p[0], p[1], p[2]};
}

TEST(Render, distances_to_the_edge_are_those_of_geometry) {
  EXPECT_DOUBLE_EQ(edge_distance(Shape::ball, 10, 0, 0), -10);
  EXPECT_DOUBLE_EQ(edge_distance(Shape::ball, 10, 6, 8), 0);
  EXPECT_DOUBLE_EQ(edge_distance(Shape::ball, 10, 0, 13), 3);
  // A square of half side 9.
  EXPECT_DOUBLE_EQ(edge_distance(Shape::square, 10, 0, 0), -9);
  EXPECT_DOUBLE_EQ(edge_distance(Shape::square, 10, 11, 2), 2);
  EXPECT_DOUBLE_EQ(edge_distance(Shape::square, 10, 12, 13), 5);  // 3, 4, 5 from the corner
  // An equilateral triangle with corners 14 from its centre: its sides are 7 away; one corner is up, a side is down.
  EXPECT_NEAR(edge_distance(Shape::triangle, 10, 0, 0), -7, 1e-9);
  EXPECT_NEAR(edge_distance(Shape::triangle, 10, 0, 9), 2, 1e-9);
  EXPECT_NEAR(edge_distance(Shape::triangle, 10, 0, -16), 2, 1e-9);
  // A star: outer corners at 14.5, one of them up, inner ones at 6.6, one of them down.
  EXPECT_NEAR(edge_distance(Shape::star, 10, 0, -14.5), 0, 1e-9);
  EXPECT_NEAR(edge_distance(Shape::star, 10, 0, 6.6), 0, 1e-9);
  EXPECT_LT(edge_distance(Shape::star, 10, 0, 6), 0);
  EXPECT_GT(edge_distance(Shape::star, 10, 0, 7), 0);
}

TEST(Render, a_ball_over_the_sky_has_its_colour_within_the_gradient_without_and_a_mixture_at_the_edge) {
  const Scene scene{.what = {Shape::ball, Colour::red, Direction::left, Background::sky}, .x = 64.5, .y = 64.5, .speed = 2, .radius = 20};
  const Clip clip = render(scene);
  ASSERT_EQ(clip.frames, 17);
  EXPECT_EQ(clip.pixels.size(), 3U * 17 * 128 * 128);
  // The middle frame has the ball where the scene says; pixel 64's centre is 64.5.
  EXPECT_THAT(pixel(clip, 8, 64, 64), ElementsAre(220, 30, 35));
  // The gradient runs from (90, 165, 235) to (175, 215, 245): at row 0 it is 1/256 on its way. The light adds (30.6, 15.3, -15.3) at the
  // left border, as much less at the right one; in column 0 it is 1/256 on its way.
  EXPECT_THAT(pixel(clip, 8, 0, 0), ElementsAre(121, 180, 220));
  EXPECT_THAT(pixel(clip, 8, 127, 5), ElementsAre(203, 229, 231));
  // Row 64: half way and 1/256 more: (132.8, 190.2, 240.0), in column 84 less (9.8, 4.9, -4.9). The pixel 20 to the right lies with its
  // centre on the edge: half of each.
  EXPECT_THAT(pixel(clip, 8, 64, 84), ElementsAre(172, 108, 140));
  EXPECT_THAT(pixel(clip, 8, 64, 83), ElementsAre(220, 30, 35));
  EXPECT_THAT(pixel(clip, 8, 64, 85), ElementsAre(123, 185, 245));
}

TEST(Render, shapes_move_by_their_speed_into_their_direction) {
  Scene scene{.what = {Shape::ball, Colour::red, Direction::left, Background::sky}, .x = 60, .y = 70, .speed = 3, .radius = 20};
  EXPECT_EQ(centre(scene, 8).x, 60);
  EXPECT_EQ(centre(scene, 0).x, 84);
  EXPECT_EQ(centre(scene, 16).x, 36);
  EXPECT_EQ(centre(scene, 16).y, 70);
  scene.what.direction = Direction::right;
  EXPECT_EQ(centre(scene, 9).x, 63);
  scene.what.direction = Direction::up;
  EXPECT_EQ(centre(scene, 9).y, 67);
  scene.what.direction = Direction::down;
  EXPECT_EQ(centre(scene, 9).y, 73);
}

TEST(Render, a_seed_gives_the_same_clip_again) {
  const Combination what{Shape::star, Colour::white, Direction::up, Background::night};
  Random one(5), two(5), other(6);
  const Clip first = render(draw_scene(what, one));
  EXPECT_EQ(first.pixels, render(draw_scene(what, two)).pixels);
  EXPECT_NE(first.pixels, render(draw_scene(what, other)).pixels);
}

}  // namespace
}  // namespace kinora::train
