#include "models/wan/rotary.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/polar.h>
#include <ATen/ops/pow.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace kinora::models::wan {

at::Tensor rotary_table(const std::array<std::int64_t, 3>& grid, std::int64_t head_width, std::int64_t max_positions, c10::Device device) {
  const std::int64_t side = 2 * (head_width / 6);
  const std::array<std::int64_t, 3> widths{head_width - 2 * side, side, side};
  std::vector<at::Tensor> parts;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (grid[axis] > max_positions)
      throw std::invalid_argument("the model takes at most " + std::to_string(max_positions) + " tokens along an axis, not " +
                                  std::to_string(grid[axis]));
    const auto exponents = at::arange(0, widths[axis], 2, at::kDouble).div(static_cast<double>(widths[axis]));
    const auto angles = at::outer(at::arange(grid[axis], at::kDouble), at::pow(10000.0, exponents.neg()));
    std::array<std::int64_t, 4> place{1, 1, 1, widths[axis] / 2};
    place[axis] = grid[axis];
    parts.push_back(angles.view(place).expand({grid[0], grid[1], grid[2], -1}));
  }
  const auto angles = at::cat(parts, 3).view({1, grid[0] * grid[1] * grid[2], 1, head_width / 2});
  // Sine and cosine of the float64 angles, then rounded.
  return at::polar(at::ones_like(angles), angles).to(at::kComplexFloat).to(device);
}

}  // namespace kinora::models::wan
