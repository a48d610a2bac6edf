#include "runner/step_order.hpp"

namespace kinora::runner {
namespace {

// How much longer the interpolator takes for a multiply-accumulate, for it warps, resizes and joins more than it multiplies. Measured on
// two cores (order_bench): 4 to 5 beside SRVGGNetCompact in float32, where the order is in doubt; 7 to 14 beside it in bfloat16.
constexpr double kInterpolatorSlowness = 5;

}  // namespace

std::string_view name(Op op) { return op == Op::upscale ? "upscale" : "interpolate"; }

Op cheaper_first(const ChainCost& cost) {
  const double between = (cost.factor - 1) * kInterpolatorMacs * kInterpolatorSlowness;
  const double interpolate_first = between + cost.factor * cost.upscaler_weights;
  const double upscale_first = cost.upscaler_weights + between * cost.scale * cost.scale;
  return upscale_first < interpolate_first ? Op::upscale : Op::interpolate;
}

}  // namespace kinora::runner
