#pragma once
// Clips as the networks see them.
#include <ATen/core/Tensor.h>

#include "kinora_train/clips/render.hpp"

namespace kinora::train {

// [3, frames, height, width] float32, -1..1.
at::Tensor clip_tensor(const Clip& clip);
// The same the other way round; values beyond -1..1 are cut.
Clip clip_of(const at::Tensor& video);

}  // namespace kinora::train
