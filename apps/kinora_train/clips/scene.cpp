#include "kinora_train/clips/scene.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace kinora::train {
namespace {

constexpr double kLeastContrast = 0.25;
constexpr Rgb kLight{0.12, 0.06, -0.06};  // added at the left border
constexpr std::uint64_t kHoldOneIn = 6;

Rgb bytes(int red, int green, int blue) { return {red / 255.0, green / 255.0, blue / 255.0}; }

// Each shape has sizes of its own. A ball and a square of one size differ at four corners only, so little that a small network draws what
// is between them; size is seen while the corners are still noise.
std::pair<double, double> radii(Shape shape) {
  switch (shape) {
    case Shape::ball: return {18, 20};
    case Shape::square: return {23, 25};
    case Shape::triangle: return {26, 28};
    case Shape::star: return {26, 28};
  }
  return {};
}

}  // namespace

std::string_view name(Shape shape) {
  constexpr std::array<std::string_view, 4> names{"ball", "square", "triangle", "star"};
  return names[static_cast<std::size_t>(shape)];
}
std::string_view name(Colour colour) {
  constexpr std::array<std::string_view, 8> names{"red", "orange", "yellow", "green", "blue", "purple", "white", "black"};
  return names[static_cast<std::size_t>(colour)];
}
std::string_view name(Direction direction) {
  constexpr std::array<std::string_view, 4> names{"left", "right", "up", "down"};
  return names[static_cast<std::size_t>(direction)];
}
std::string_view name(Background background) {
  constexpr std::array<std::string_view, 6> names{"sky", "grass", "night", "sunset", "sand", "snow"};
  return names[static_cast<std::size_t>(background)];
}

double distance(const Rgb& a, const Rgb& b) { return std::hypot(a.red - b.red, a.green - b.green, a.blue - b.blue); }

Rgb rgb(Colour colour) {
  switch (colour) {
    case Colour::red: return bytes(220, 30, 35);
    case Colour::orange: return bytes(250, 135, 20);
    case Colour::yellow: return bytes(250, 225, 40);
    case Colour::green: return bytes(20, 185, 60);
    case Colour::blue: return bytes(35, 60, 215);
    case Colour::purple: return bytes(145, 50, 185);
    case Colour::white: return bytes(250, 250, 250);
    case Colour::black: return bytes(20, 20, 20);
  }
  return {};
}

Rgb Gradient::at(double height) const {
  const auto mix = [height](double a, double b) { return a + (b - a) * height; };
  return {mix(top.red, bottom.red), mix(top.green, bottom.green), mix(top.blue, bottom.blue)};
}

Gradient gradient(Background background) {
  switch (background) {
    case Background::sky: return {bytes(90, 165, 235), bytes(175, 215, 245)};
    case Background::grass: return {bytes(115, 150, 70), bytes(60, 100, 40)};
    case Background::night: return {bytes(20, 25, 75), bytes(60, 60, 120)};
    case Background::sunset: return {bytes(190, 85, 110), bytes(250, 175, 120)};
    case Background::sand: return {bytes(235, 210, 160), bytes(200, 165, 110)};
    case Background::snow: return {bytes(205, 215, 225), bytes(235, 240, 245)};
  }
  return {};
}

Rgb lit(const Rgb& colour, double across) {
  const auto add = [across](double value, double light) { return std::clamp(value + light * (1 - 2 * across), 0.0, 1.0); };
  return {add(colour.red, kLight.red), add(colour.green, kLight.green), add(colour.blue, kLight.blue)};
}

bool visible(Colour colour, Background background) {
  const auto [top, bottom] = gradient(background);
  double least = 1;
  for (const auto& under : {lit(top, 0), lit(top, 1), lit(bottom, 0), lit(bottom, 1)})
    least = std::min(least, distance(rgb(colour), under));
  return least >= kLeastContrast;
}

std::vector<Combination> all_combinations() {
  std::vector<Combination> all;
  for (const auto shape : kShapes)
    for (const auto colour : kColours)
      for (const auto direction : kDirections)
        for (const auto background : kBackgrounds)
          if (visible(colour, background)) all.push_back({shape, colour, direction, background});
  return all;
}

bool held_out(const Combination& c) {
  const auto number =
      ((static_cast<std::uint64_t>(c.shape) * 64 + static_cast<std::uint64_t>(c.colour)) * 64 + static_cast<std::uint64_t>(c.direction)) *
          64 +
      static_cast<std::uint64_t>(c.background);
  return Random(number).next() % kHoldOneIn == 0;
}

std::vector<Combination> combinations(bool held) {
  auto all = all_combinations();
  std::erase_if(all, [held](const Combination& c) { return held_out(c) != held; });
  return all;
}

Scene draw_scene(const Combination& what, Random& random) {
  const auto [least, most] = radii(what.shape);
  Scene scene{.what = what, .speed = random.uniform(1.75, 2.5), .radius = random.uniform(least, most)};
  const double along = kClipSide / 2.0 + random.uniform(-3.0, 3.0);
  const double across = kClipSide / 2.0 + random.uniform(-20.0, 20.0);
  const bool level = what.direction == Direction::left || what.direction == Direction::right;
  scene.x = level ? along : across;
  scene.y = level ? across : along;
  return scene;
}

}  // namespace kinora::train
