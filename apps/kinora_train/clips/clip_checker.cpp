#include "kinora_train/clips/clip_checker.hpp"

#include <algorithm>
#include <cmath>

#include "kinora_train/clips/figure.hpp"
#include "kinora_train/error.hpp"

namespace kinora::train {
namespace {

constexpr double kFarthestColour = 0.35, kFarthestBackground = 0.25;  // from the palette's
constexpr double kLeastLikeness = 0.78;
constexpr double kLeastArea = 0.01, kMostArea = 0.4;  // of the picture
constexpr double kLeastWay = 0.1;                     // of the picture's side
constexpr double kPlainly = 2;                        // times as far in the one direction as across
constexpr int kCore = 2;                              // pixels from the edge where a figure's colour is read

std::optional<Background> background_of(const std::vector<Rgb>& rows) {
  std::optional<Background> nearest;
  double least = kFarthestBackground;
  for (const auto background : kBackgrounds) {
    double sum = 0;
    for (std::size_t y = 0; y < rows.size(); ++y)
      sum += distance(rows[y], gradient(background).at((static_cast<double>(y) + 0.5) / static_cast<double>(rows.size())));
    if (sum / static_cast<double>(rows.size()) >= least) continue;
    least = sum / static_cast<double>(rows.size());
    nearest = background;
  }
  return nearest;
}

std::optional<Colour> colour_of(const Clip& clip, const std::vector<Figure>& figures) {
  std::array<std::vector<std::uint8_t>, 3> values;
  for (std::size_t frame = 0; frame < figures.size(); ++frame) {
    const auto& figure = figures[frame];
    for (int y = 0; y < figure.height; ++y) {
      for (int x = 0; x < figure.width; ++x) {
        if (!figure.at(y, x) || !figure.at(y - kCore, x) || !figure.at(y + kCore, x) || !figure.at(y, x - kCore) ||
            !figure.at(y, x + kCore))
          continue;
        for (std::size_t channel = 0; channel < 3; ++channel) values[channel].push_back(clip.at(static_cast<int>(frame), y, x)[channel]);
      }
    }
  }
  if (values[0].empty()) return std::nullopt;
  const auto median = [&values](std::size_t channel) {
    auto& all = values[channel];
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    return *middle / 255.0;
  };
  const Rgb seen{median(0), median(1), median(2)};
  const auto nearest = std::min_element(kColours.begin(), kColours.end(),
                                        [&](Colour a, Colour b) { return distance(rgb(a), seen) < distance(rgb(b), seen); });
  if (distance(rgb(*nearest), seen) > kFarthestColour) return std::nullopt;
  return *nearest;
}

// The slope of the centre's way over the frames (least squares), times the clip's length.
std::optional<Direction> direction_of(const std::vector<Figure>& figures) {
  double count = 0, time = 0, x = 0, y = 0, times = 0, time_x = 0, time_y = 0;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    if (figures[i].area == 0) continue;
    const auto t = static_cast<double>(i);
    count += 1;
    time += t;
    times += t * t;
    x += figures[i].centre.x;
    y += figures[i].centre.y;
    time_x += t * figures[i].centre.x;
    time_y += t * figures[i].centre.y;
  }
  const double spread = count * times - time * time;
  if (count < 3 || spread <= 0) return std::nullopt;
  const auto frames = static_cast<double>(figures.size() - 1);
  const double across = frames * (count * time_x - time * x) / spread, down = frames * (count * time_y - time * y) / spread;
  const double side = std::min(figures[0].height, figures[0].width);
  if (std::max(std::abs(across), std::abs(down)) < kLeastWay * side) return std::nullopt;
  if (std::abs(across) >= kPlainly * std::abs(down)) return across < 0 ? Direction::left : Direction::right;
  if (std::abs(down) >= kPlainly * std::abs(across)) return down < 0 ? Direction::up : Direction::down;
  return std::nullopt;
}

// By the mean likeness over every second frame.
std::optional<Shape> shape_of(const std::vector<Figure>& figures) {
  std::optional<Shape> best;
  double most = kLeastLikeness;
  for (const auto shape : kShapes) {
    double sum = 0;
    int count = 0;
    for (std::size_t i = 0; i < figures.size(); i += 2, ++count) sum += likeness(figures[i], shape);
    if (sum / count <= most) continue;
    most = sum / count;
    best = shape;
  }
  return best;
}

template <typename Value>
std::string word(const std::optional<Value>& value) {
  return value ? std::string(name(*value)) : "?";
}

}  // namespace

Seen look_at(const Clip& clip) {
  if (clip.frames < 3 || clip.height < 32 || clip.width < 32) throw Failure("the checker needs at least 3 frames of 32 x 32 pixels");
  const auto rows = row_colours(clip);
  std::vector<Figure> figures;
  double area = 0;
  for (int frame = 0; frame < clip.frames; ++frame) {
    figures.push_back(find_figure(clip, frame, rows));
    area += static_cast<double>(figures.back().area) / (static_cast<double>(clip.height) * clip.width * clip.frames);
  }
  Seen seen{.shape = {}, .colour = {}, .direction = {}, .background = background_of(rows)};
  if (area < kLeastArea || area > kMostArea) return seen;
  seen.shape = shape_of(figures);
  seen.colour = colour_of(clip, figures);
  seen.direction = direction_of(figures);
  return seen;
}

std::string describe(const Seen& seen) {
  return word(seen.colour) + " " + word(seen.shape) + ", " + word(seen.direction) + ", " + word(seen.background);
}

Agreement compare(const Seen& seen, const Combination& asked) {
  return {.shape = seen.shape == asked.shape,
          .colour = seen.colour == asked.colour,
          .direction = seen.direction == asked.direction,
          .background = seen.background == asked.background};
}

}  // namespace kinora::train
