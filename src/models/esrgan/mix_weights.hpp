#pragma once
// A network between two trainings of one architecture (deep network interpolation; Real-ESRGAN's denoise strength).
#include "nn/tensor_map.hpp"

namespace kinora::models::esrgan {

// strength * a + (1 - strength) * b of every tensor, in float32. Throws std::out_of_range or c10::Error when names or shapes differ.
nn::TensorMap mix_weights(const nn::TensorMap& a, const nn::TensorMap& b, double strength);

}  // namespace kinora::models::esrgan
