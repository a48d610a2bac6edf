#pragma once
// Where each cell of a picture was in an earlier one: block matching on luma, from predictors and by small steps. Pure, no LibTorch.
//
// A vector counts in pixels of the enlarged picture, so that what it carries is copied whole, never interpolated: the search is as fine as
// 1/scale of a source pixel and no finer.
#include <cstdint>
#include <span>
#include <vector>

#include "models/fast/luma.hpp"

namespace kinora::models::fast {

inline constexpr int kCell = 8;  // source pixels

struct Vector {
  int x = 0, y = 0;
  friend bool operator==(const Vector&, const Vector&) = default;
};

// The best place found for one cell.
struct Match {
  Vector vector;    // this pixel of the earlier picture = pixel of this one + vector
  float error = 0;  // mean absolute difference of the cell, 0..255
};

// One value a cell, row by row.
template <class T>
struct Cells {
  Cells() = default;
  Cells(int width, int height, T value = {})  // of the picture
      : columns((width + kCell - 1) / kCell),
        rows((height + kCell - 1) / kCell),
        values(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows), value) {}
  T& at(int column, int row) {
    return values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)];
  }
  const T& at(int column, int row) const { return const_cast<Cells*>(this)->at(column, row); }
  int columns = 0, rows = 0;
  std::vector<T> values;
};

class MotionSearch {
 public:
  // now, earlier: of one size; they must outlive the search. scale: of the enlarged picture, 1..8.
  MotionSearch(const Luma& now, const Luma& earlier, int scale) : now_(now), earlier_(earlier), scale_(scale) {}

  // The best of the predictors and what small steps from it find.
  Match find(int column, int row, std::span<const Vector> predictors) const;

 private:
  Vector clamp(int column, int row, Vector vector) const;
  // Sum of absolute differences of the cell and its surroundings.
  int cost(int column, int row, Vector vector) const;
  float error(int column, int row, Vector vector) const;

  const Luma& now_;
  const Luma& earlier_;
  int scale_;
};

}  // namespace kinora::models::fast
