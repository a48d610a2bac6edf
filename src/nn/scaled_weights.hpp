#pragma once
// Files whose weights are 8-bit numbers with a scale beside them, as ComfyUI writes them: "X.weight" in fp8 or int8 and "X.weight_scale"
// (or, older, "X.scale_weight"), one number or one for each row. Read as float32: weight times scale. Errors: LoadError.
#include "nn/checkpoint.hpp"

namespace kinora::nn {

// Replaces such weights by the scaled ones and drops what only 8-bit arithmetic needs (scales of inputs, the marker "scaled_fp8").
void apply_scales(Checkpoint& checkpoint);

}  // namespace kinora::nn
