#pragma once
// Resizes 8-bit pictures exactly as Image.resize of Pillow 13 does: antialiased, in two passes of fixed-point sums (22-bit weights), each
// rounding to 8 bits. The width goes first, unless the height loses more than twice as many pixels (older versions: always the width).
// Diffusion pipelines prepare their pictures this way.
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kinora::nn {

inline constexpr std::int64_t kMaxPictureSide = 1 << 15;

// The values are Pillow's, as configurations write them ("resample": 3).
enum class Filter : std::int8_t { nearest = 0, lanczos = 1, bilinear = 2, bicubic = 3, box = 4, hamming = 5 };

// picture: uint8 [H, W, C] on the CPU, C >= 1 -> uint8 [height, width, C], contiguous. Spread over LibTorch's threads.
// Throws std::invalid_argument for other tensors and for sides outside 1..kMaxPictureSide.
at::Tensor pillow_resize(const at::Tensor& picture, std::int64_t height, std::int64_t width, Filter filter);

}  // namespace kinora::nn
