#include "kinora_train/clips/figure.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace kinora::train {
namespace {

constexpr double kStandsOut = 0.15;  // distance of colours, of sqrt(3)
constexpr int kSmooth = 1;           // a pixel is judged by the mean of those so near
constexpr int kNear = 8;             // rows, whose colours hardly differ
constexpr double kReach = 1.5;       // radii; no shape reaches further from its centre

Rgb pixel(const Clip& clip, int frame, int y, int x) {
  const std::uint8_t* const p = clip.at(frame, y, x);
  return {p[0] / 255.0, p[1] / 255.0, p[2] / 255.0};
}

double across(const Clip& clip, int x) { return (x + 0.5) / clip.width; }

Rgb mean_about(const Clip& clip, int frame, int y, int x) {
  Rgb sum;
  int count = 0;
  for (int v = std::max(0, y - kSmooth); v <= std::min(clip.height - 1, y + kSmooth); ++v) {
    for (int u = std::max(0, x - kSmooth); u <= std::min(clip.width - 1, x + kSmooth); ++u, ++count) {
      const Rgb one = pixel(clip, frame, v, u);
      sum = {sum.red + one.red, sum.green + one.green, sum.blue + one.blue};
    }
  }
  return {sum.red / count, sum.green / count, sum.blue / count};
}

// The set of pixels that hang together with `start`; they are taken out of `open`.
std::vector<int> connected(std::vector<bool>& open, int start, int height, int width) {
  std::vector<int> found{start};
  open[static_cast<std::size_t>(start)] = false;
  const auto visit = [&](int place) {
    if (!open[static_cast<std::size_t>(place)]) return;
    open[static_cast<std::size_t>(place)] = false;
    found.push_back(place);
  };
  for (std::size_t i = 0; i < found.size(); ++i) {
    const int y = found[i] / width, x = found[i] % width;
    if (x > 0) visit(found[i] - 1);
    if (x + 1 < width) visit(found[i] + 1);
    if (y > 0) visit(found[i] - width);
    if (y + 1 < height) visit(found[i] + width);
  }
  return found;
}

// Of a shape of radius 1. (Its centre of mass is the point that edge_distance() measures from.)
double unit_area(Shape shape) {
  constexpr int kSide = 400;
  int inside = 0;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      if (edge_distance(shape, 1, 4.0 * (x + 0.5) / kSide - 2, 4.0 * (y + 0.5) / kSide - 2) < 0) ++inside;
  return 16.0 * inside / (kSide * kSide);
}

}  // namespace

std::vector<Rgb> row_colours(const Clip& clip) {
  std::array<std::vector<double>, 3> values;
  const auto add = [&values](const Rgb& colour) {
    values[0].push_back(colour.red);
    values[1].push_back(colour.green);
    values[2].push_back(colour.blue);
  };
  const auto take_median = [&values] {
    std::array<double, 3> found{};
    for (std::size_t channel = 0; channel < 3; ++channel) {
      auto& all = values[channel];
      const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
      std::nth_element(all.begin(), middle, all.end());
      found[channel] = *middle;
      all.clear();
    }
    return Rgb{found[0], found[1], found[2]};
  };
  std::vector<Rgb> own, rows;
  for (int y = 0; y < clip.height; ++y) {
    for (int frame = 0; frame < clip.frames; ++frame)
      for (int x = 0; x < clip.width; ++x) add(lit(pixel(clip, frame, y, x), 1 - across(clip, x)));  // what the light adds is taken away
    own.push_back(take_median());
  }
  for (int y = 0; y < clip.height; ++y) {
    for (int near = std::max(0, y - kNear); near <= std::min(clip.height - 1, y + kNear); ++near) add(own[static_cast<std::size_t>(near)]);
    rows.push_back(take_median());
  }
  return rows;
}

Figure find_figure(const Clip& clip, int frame, const std::vector<Rgb>& rows) {
  Figure figure{.height = clip.height, .width = clip.width, .inside = {}};
  std::vector<bool> open(static_cast<std::size_t>(clip.height) * static_cast<std::size_t>(clip.width));
  for (int y = 0; y < clip.height; ++y)
    for (int x = 0; x < clip.width; ++x)
      open[static_cast<std::size_t>(y) * clip.width + x] =
          distance(mean_about(clip, frame, y, x), lit(rows[static_cast<std::size_t>(y)], across(clip, x))) > kStandsOut;
  std::vector<int> largest;
  for (std::size_t start = 0; start < open.size(); ++start) {
    if (!open[start]) continue;
    auto found = connected(open, static_cast<int>(start), clip.height, clip.width);
    if (found.size() > largest.size()) largest = std::move(found);
  }
  figure.inside.assign(open.size(), false);
  for (const int place : largest) {
    figure.inside[static_cast<std::size_t>(place)] = true;
    const int row = place / clip.width;
    figure.centre.x += place % clip.width + 0.5;
    figure.centre.y += row + 0.5;
  }
  figure.area = static_cast<int>(largest.size());
  if (figure.area > 0) figure.centre = {figure.centre.x / figure.area, figure.centre.y / figure.area};
  return figure;
}

double likeness(const Figure& figure, Shape shape) {
  static const std::array areas{unit_area(Shape::ball), unit_area(Shape::square), unit_area(Shape::triangle), unit_area(Shape::star)};
  const double radius = std::sqrt(figure.area / areas[static_cast<std::size_t>(shape)]);
  const double reach = kReach * radius;
  const auto clamped = [](double value, int end) { return std::clamp(static_cast<int>(value), 0, end); };
  int both = 0, wanted = 0;
  for (int y = clamped(figure.centre.y - reach, figure.height); y < clamped(figure.centre.y + reach + 1, figure.height); ++y) {
    for (int x = clamped(figure.centre.x - reach, figure.width); x < clamped(figure.centre.x + reach + 1, figure.width); ++x) {
      if (edge_distance(shape, radius, x + 0.5 - figure.centre.x, y + 0.5 - figure.centre.y) >= 0) continue;
      ++wanted;
      both += figure.at(y, x) ? 1 : 0;
    }
  }
  const int either = figure.area + wanted - both;
  return either == 0 ? 0 : static_cast<double>(both) / either;
}

}  // namespace kinora::train
