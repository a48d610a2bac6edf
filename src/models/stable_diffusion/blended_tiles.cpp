#include "models/stable_diffusion/blended_tiles.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <vector>

namespace kinora::models::stable_diffusion {
namespace {

// The first rows (dim -2) or columns (dim -1) of tile, by and by from those that end `before` to its own.
void blend(const at::Tensor& before, const at::Tensor& tile, std::int64_t dim, std::int64_t overlap) {
  const std::int64_t extent = std::min({before.size(dim), tile.size(dim), overlap});
  if (extent == 0) return;
  std::vector<std::int64_t> shape(2, 1);
  shape[static_cast<std::size_t>(2 + dim)] = extent;
  const auto own = at::arange(extent, at::TensorOptions().dtype(at::kFloat).device(tile.device()))
                       .div(static_cast<double>(extent))
                       .to(tile.scalar_type())
                       .view(shape);
  const auto head = tile.narrow(dim, 0, extent);
  head.copy_(before.narrow(dim, before.size(dim) - extent, extent).lerp(head, own));
}

at::Tensor corner(const at::Tensor& tile, std::int64_t side) { return tile.slice(-2, 0, side).slice(-1, 0, side); }

}  // namespace

at::Tensor blended_tiles(const at::Tensor& x, const TileSides& sides, const std::function<at::Tensor(const at::Tensor&)>& f) {
  const auto part = [](std::int64_t side, double share) { return static_cast<std::int64_t>(static_cast<double>(side) * share); };
  const std::int64_t step = std::max<std::int64_t>(1, part(sides.in, 1 - TileSides::kOverlap));
  const std::int64_t overlap = part(sides.out, TileSides::kOverlap), kept = sides.out - overlap;
  std::vector<at::Tensor> rows, above;
  for (std::int64_t y = 0; y < x.size(-2); y += step) {
    std::vector<at::Tensor> row, parts;
    for (std::int64_t at = 0; at < x.size(-1); at += step) {
      auto tile = f(x.slice(-2, y, y + sides.in).slice(-1, at, at + sides.in));
      // A tile is blended over neighbours that are blended themselves.
      if (!above.empty()) blend(above[row.size()], tile, -2, overlap);
      if (!row.empty()) blend(row.back(), tile, -1, overlap);
      parts.push_back(corner(tile, kept));
      row.push_back(std::move(tile));
    }
    rows.push_back(at::cat(parts, -1));
    above = std::move(row);
  }
  return at::cat(rows, -2);
}

}  // namespace kinora::models::stable_diffusion
