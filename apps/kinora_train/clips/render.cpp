#include "kinora_train/clips/render.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace kinora::train {
namespace {

// Corners about the centre, one pointing up; a star's inner corners are those at `inner`.
std::vector<Point> corners(int points, double outer, double inner) {
  std::vector<Point> all;
  const int count = inner > 0 ? 2 * points : points;
  for (int i = 0; i < count; ++i) {
    const double angle = 2 * std::numbers::pi * i / count;
    const double length = inner > 0 && i % 2 == 1 ? inner : outer;
    all.push_back({length * std::sin(angle), -length * std::cos(angle)});
  }
  return all;
}

// Distance to the nearest side; the sign by counting how often a ray to the right crosses a side.
double polygon_distance(const std::vector<Point>& polygon, double x, double y) {
  double least = std::numeric_limits<double>::max();
  bool inside = false;
  for (std::size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    const Point a = polygon[j], b = polygon[i];
    const double dx = b.x - a.x, dy = b.y - a.y;
    const double part = std::clamp(((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
    least = std::min(least, std::hypot(x - a.x - part * dx, y - a.y - part * dy));
    if ((a.y > y) != (b.y > y) && x < a.x + (y - a.y) / dy * dx) inside = !inside;
  }
  return inside ? -least : least;
}

constexpr double kSquareHalf = 0.9, kTriangle = 1.4, kStarOuter = 1.45, kStarInner = 0.66;  // in radii

std::uint8_t byte(double value) { return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255)); }

void put(std::uint8_t* pixel, const Rgb& under, const Rgb& over, double share) {
  pixel[0] = byte(under.red + (over.red - under.red) * share);
  pixel[1] = byte(under.green + (over.green - under.green) * share);
  pixel[2] = byte(under.blue + (over.blue - under.blue) * share);
}

}  // namespace

Point centre(const Scene& scene, int frame) {
  const double way = scene.speed * (frame - (kClipFrames - 1) / 2.0);
  switch (scene.what.direction) {
    case Direction::left: return {scene.x - way, scene.y};
    case Direction::right: return {scene.x + way, scene.y};
    case Direction::up: return {scene.x, scene.y - way};
    case Direction::down: return {scene.x, scene.y + way};
  }
  return {};
}

double edge_distance(Shape shape, double radius, double x, double y) {
  static const auto triangle = corners(3, kTriangle, 0), star = corners(5, kStarOuter, kStarInner);
  switch (shape) {
    case Shape::ball: return std::hypot(x, y) - radius;
    case Shape::square: {
      const double dx = std::abs(x) - kSquareHalf * radius, dy = std::abs(y) - kSquareHalf * radius;
      return std::hypot(std::max(dx, 0.0), std::max(dy, 0.0)) + std::min(std::max(dx, dy), 0.0);
    }
    case Shape::triangle: return radius * polygon_distance(triangle, x / radius, y / radius);
    case Shape::star: return radius * polygon_distance(star, x / radius, y / radius);
  }
  return 0;
}

Clip render(const Scene& scene) {
  Clip clip{.frames = kClipFrames, .height = kClipSide, .width = kClipSide, .pixels = {}};
  clip.pixels.resize(static_cast<std::size_t>(3) * clip.frames * clip.height * clip.width);
  const Gradient background = gradient(scene.what.background);
  const Rgb colour = rgb(scene.what.colour);
  const double reach = kStarOuter * scene.radius + 1;
  for (int frame = 0; frame < clip.frames; ++frame) {
    const Point middle = centre(scene, frame);
    const int first = std::max(0, static_cast<int>(middle.x - reach)), end = std::min(clip.width, static_cast<int>(middle.x + reach) + 1);
    for (int y = 0; y < clip.height; ++y) {
      const Rgb row = background.at((y + 0.5) / clip.height);
      const auto under = [&](int x) { return lit(row, (x + 0.5) / clip.width); };
      for (int x = 0; x < clip.width; ++x) put(clip.at(frame, y, x), under(x), colour, 0);
      const double dy = y + 0.5 - middle.y;
      if (std::abs(dy) >= reach) continue;
      for (int x = first; x < end; ++x) {
        const double share = std::clamp(0.5 - edge_distance(scene.what.shape, scene.radius, x + 0.5 - middle.x, dy), 0.0, 1.0);
        if (share > 0) put(clip.at(frame, y, x), under(x), colour, share);
      }
    }
  }
  return clip;
}

}  // namespace kinora::train
