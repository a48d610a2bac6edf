#pragma once
// A picture (or a video) computed in overlapping tiles whose overlaps are blended, as the published VAEs are run on pictures larger than
// memory.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace kinora::models::stable_diffusion {

struct TileSides {
  std::int64_t in = 0, out = 0;  // of a tile before and after f
  static constexpr double kOverlap = 0.25;
};

// x [..., H, W] -> f of each tile of sides.in (the last ones smaller), placed every 0.75 sides.in; overlaps of 0.25 sides.out are mixed
// linearly, first with the tile above, then with the one to the left.
at::Tensor blended_tiles(const at::Tensor& x, const TileSides& sides, const std::function<at::Tensor(const at::Tensor&)>& f);

}  // namespace kinora::models::stable_diffusion
