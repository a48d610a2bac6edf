#pragma once
// Resizing of float pictures: torch.nn.functional.interpolate to a given size, and the blurring resize of Stable Video Diffusion.
// Any device. Sides 1 or more; LibTorch refuses others with c10::Error.
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kinora::nn {

enum class Interpolation : std::int8_t { nearest, nearest_exact, bilinear, bicubic, area };

struct InterpolationOptions {
  bool align_corners = false;  // bilinear and bicubic: the corner pixels' centres stay in place
  bool antialias = false;      // bilinear and bicubic: as wide a filter as the shrinking asks for; also for uint8 on the CPU
};

// [B, C, H, W] -> [B, C, height, width].
at::Tensor interpolate(const at::Tensor& x, std::int64_t height, std::int64_t width, Interpolation mode, InterpolationOptions options = {});

// [B, C, H, W], floating -> [B, C, height, width]: Gaussian blur as wide as the shrinking asks for, then bicubic with aligned corners
// (_resize_with_antialiasing of diffusers). The input may be larger by a factor of about 50 and no more (the blur reflects the borders).
at::Tensor resize_with_antialiasing(const at::Tensor& x, std::int64_t height, std::int64_t width);

}  // namespace kinora::nn
