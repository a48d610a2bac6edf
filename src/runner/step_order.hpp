#pragma once
// Which of two networks goes first. Pure, and the same on every machine: the chunks of one video must agree.
#include <string_view>

namespace kinora::runner {

enum class Op { upscale, interpolate };
std::string_view name(Op op);

// Multiply-accumulates of IFNet 4.25 for a pixel of a picture that is made.
inline constexpr double kInterpolatorMacs = 20'702;

struct ChainCost {
  double upscaler_weights = 0;  // their number: each is used about once for a pixel that comes in
  double scale = 2;             // of each side
  // Pictures that come out for one that goes in. A target rate counts as 2: the chunks of a video may be told different mean rates.
  double factor = 2;
};

// The step that goes first in the order that costs less. Interpolating first makes the upscaler see `factor` times as many pictures,
// upscaling first makes the interpolator see scale^2 times as many pixels: light upscalers go last, heavy ones first.
Op cheaper_first(const ChainCost& cost);

}  // namespace kinora::runner
