#pragma once
// Clips as the networks see them.
#include <ATen/core/Tensor.h>

#include "kinora_train/clips/render.hpp"

namespace kinora::train {

// [3, frames, height, width] float32, -1..1.
at::Tensor clip_tensor(const Clip& clip);

}  // namespace kinora::train
