#include "models/fast/motion_search.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace kinora::models::fast {
namespace {

// What is compared: the cell and 4 pixels around it, so that a cell without structure follows its neighbours.
constexpr int kReach = 4, kWindow = kCell + 2 * kReach;
constexpr int kExact = kWindow * kWindow / 2;      // a cost (half a level a pixel) with nothing left to win
constexpr int kPerPixel = kWindow * kWindow / 64;  // cost of a vector's distance from the first predictor, a source pixel
constexpr int kSteps = 16;                         // of one source pixel each
constexpr std::array<Vector, 4> kNear{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}};

struct Split {
  int whole, part;  // part in 1/16
};
Split split(int value, int scale) {
  int whole = value / scale;
  if (value < whole * scale) --whole;
  return {whole, ((value - whole * scale) * 16 + scale / 2) / scale};
}

// Sum of absolute differences of size x size pixels; b between its pixels, bilinear, by 1/16.
template <int size>
int difference(const std::uint8_t* a, const std::uint8_t* b, std::ptrdiff_t stride, int part_x, int part_y) {
  int sum = 0;
  if (part_x == 0 && part_y == 0) {
    for (int y = 0; y < size; ++y, a += stride, b += stride)
      for (int x = 0; x < size; ++x) sum += std::abs(a[x] - b[x]);
    return sum;
  }
  const int w00 = (16 - part_x) * (16 - part_y), w01 = part_x * (16 - part_y), w10 = (16 - part_x) * part_y, w11 = part_x * part_y;
  for (int y = 0; y < size; ++y, a += stride, b += stride)
    for (int x = 0; x < size; ++x)
      sum += std::abs(a[x] - ((w00 * b[x] + w01 * b[x + 1] + w10 * b[x + stride] + w11 * b[x + stride + 1] + 128) >> 8));
  return sum;
}

}  // namespace

// The window may lie in the margin, one pixel from its end.
Vector MotionSearch::clamp(int column, int row, Vector vector) const {
  const int x = column * kCell - kReach, y = row * kCell - kReach;
  return {std::clamp(vector.x, (-kMargin - x) * scale_, (now_.width() + kMargin - kWindow - 1 - x) * scale_),
          std::clamp(vector.y, (-kMargin - y) * scale_, (now_.height() + kMargin - kWindow - 1 - y) * scale_)};
}

int MotionSearch::cost(int column, int row, Vector vector) const {
  const int x = column * kCell - kReach, y = row * kCell - kReach;
  const Split sx = split(vector.x, scale_), sy = split(vector.y, scale_);
  return difference<kWindow>(now_.at(x, y), earlier_.at(x + sx.whole, y + sy.whole), now_.stride(), sx.part, sy.part);
}

float MotionSearch::error(int column, int row, Vector vector) const {
  const int x = column * kCell, y = row * kCell;
  const Split sx = split(vector.x, scale_), sy = split(vector.y, scale_);
  const int sum = difference<kCell>(now_.at(x, y), earlier_.at(x + sx.whole, y + sy.whole), now_.stride(), sx.part, sy.part);
  return static_cast<float>(sum) / (kCell * kCell);
}

Match MotionSearch::find(int column, int row, std::span<const Vector> predictors) const {
  const Vector first = predictors.empty() ? Vector{} : predictors.front();
  const auto judged = [&](Vector vector) {
    return cost(column, row, vector) + (std::abs(vector.x - first.x) + std::abs(vector.y - first.y)) * kPerPixel / scale_;
  };
  Vector best = clamp(column, row, first);
  int lowest = judged(best);
  const auto attempt = [&](Vector vector) {
    vector = clamp(column, row, vector);
    if (vector == best) return false;
    const int found = judged(vector);
    if (found >= lowest) return false;
    best = vector;
    lowest = found;
    return true;
  };
  for (const Vector& predictor : predictors)
    if (lowest > kExact) attempt(predictor);
  for (int step = 0; step < kSteps && lowest > kExact; ++step) {
    const Vector centre = best;
    bool better = false;
    for (const Vector& near : kNear) better = attempt({centre.x + near.x * scale_, centre.y + near.y * scale_}) || better;
    if (!better) break;
  }
  for (int size = scale_ / 2; size >= 1 && lowest > kExact; size /= 2) {
    const Vector centre = best;
    for (int y = -size; y <= size; y += size)
      for (int x = -size; x <= size; x += size) attempt({centre.x + x, centre.y + y});
  }
  return {best, error(column, row, best)};
}

}  // namespace kinora::models::fast
