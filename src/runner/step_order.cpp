#include "runner/step_order.hpp"

namespace kinora::runner {
namespace {

// Multiply-accumulates of IFNet 4.25 for a pixel of a picture that is made. It warps, resizes and joins more than it multiplies: that it
// takes four times as long for each as an upscaler does is an estimate.
constexpr double kInterpolatorMacs = 20'702, kInterpolatorSlowness = 4;

}  // namespace

std::string_view name(Op op) { return op == Op::upscale ? "upscale" : "interpolate"; }

Op cheaper_first(const ChainCost& cost) {
  const double between = (cost.factor - 1) * kInterpolatorMacs * kInterpolatorSlowness;
  const double interpolate_first = between + cost.factor * cost.upscaler_weights;
  const double upscale_first = cost.upscaler_weights + between * cost.scale * cost.scale;
  return upscale_first < interpolate_first ? Op::upscale : Op::interpolate;
}

}  // namespace kinora::runner
