#pragma once
// What the procedural clips show: one coloured shape that moves over a background. Values; any thread.
#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kinora_train/random.hpp"

namespace kinora::train {

enum class Shape : std::uint8_t { ball, square, triangle, star };
enum class Colour : std::uint8_t { red, orange, yellow, green, blue, purple, white, black };
enum class Direction : std::uint8_t { left, right, up, down };
enum class Background : std::uint8_t { sky, grass, night, sunset, sand, snow };

inline constexpr std::array kShapes{Shape::ball, Shape::square, Shape::triangle, Shape::star};
inline constexpr std::array kColours{Colour::red,  Colour::orange, Colour::yellow, Colour::green,
                                     Colour::blue, Colour::purple, Colour::white,  Colour::black};
inline constexpr std::array kDirections{Direction::left, Direction::right, Direction::up, Direction::down};
inline constexpr std::array kBackgrounds{Background::sky,    Background::grass, Background::night,
                                         Background::sunset, Background::sand,  Background::snow};

std::string_view name(Shape shape);
std::string_view name(Colour colour);
std::string_view name(Direction direction);
std::string_view name(Background background);

struct Rgb {
  double red = 0, green = 0, blue = 0;  // 0..1, as they are stored (sRGB)
};
double distance(const Rgb& a, const Rgb& b);  // Euclidean, 0..sqrt(3)
Rgb rgb(Colour colour);

// From the top row to the bottom row, linearly.
struct Gradient {
  Rgb top, bottom;
  Rgb at(double height) const;  // 0 top .. 1 bottom
};
Gradient gradient(Background background);
// Light falls from the left: the colour as it is there, warmer, or cooler at the right. across: 0 left .. 1 right. In a transformer with
// rotary positions, which tell differences only, this is how a token learns which column it is in.
Rgb lit(const Rgb& colour, double across);

struct Combination {
  Shape shape = Shape::ball;
  Colour colour = Colour::red;
  Direction direction = Direction::left;
  Background background = Background::sky;
  auto operator<=>(const Combination&) const = default;
};

// Whether the colour stands out from all of the background; clips are made of such combinations only (no white on snow).
bool visible(Colour colour, Background background);
// All visible ones, in a fixed order.
std::vector<Combination> all_combinations();
// About one in six, by a hash of the combination alone: never trained on, whatever the seed.
bool held_out(const Combination& combination);
// Those with held_out() as wanted, in a fixed order.
std::vector<Combination> combinations(bool held);

inline constexpr int kClipSide = 128, kClipFrames = 17, kClipFps = 16;

// One clip. Lengths in pixels of a picture of kClipSide; x to the right, y down, from the picture's corner.
struct Scene {
  Combination what;
  double x = 0, y = 0;  // centre in the middle frame
  double speed = 0;     // pixels a frame
  double radius = 0;    // of the ball; the other shapes are about as large
};
// The shape stays within the picture.
Scene draw_scene(const Combination& what, Random& random);

}  // namespace kinora::train
