#pragma once
// Pictures as tensors: RGB, [3, H, W], uint8 0..255 or float 0..1, non-linear as in the file. Throws Failure. Any thread.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "media/frame.hpp"

namespace kinora::train {

// uint8 [3, H, W].
at::Tensor rgb_of(const media::Frame& frame);
// 4:2:0 with these tags, from uint8 or float. An unspecified matrix is chosen by matrix_width x matrix_height (0: its own size).
media::Frame frame_of(const at::Tensor& rgb, const media::ColorTags& tags, int matrix_width = 0, int matrix_height = 0);

// float [.., 3, H, W] -> [.., H, W]: BT.601 luma of R'G'B', in the same range.
at::Tensor luma(const at::Tensor& rgb);

// Antialiased bicubic, uint8 or float [3, H, W] -> float 0..255 [3, height, width], clamped.
at::Tensor shrunk(const at::Tensor& rgb, std::int64_t height, std::int64_t width);
// Gaussian blur with reflected borders, float [3, H, W]; sigma in pixels, 0: unchanged. Sides must exceed 3 sigma.
at::Tensor blurred(const at::Tensor& rgb, double sigma);
// Adds Gaussian noise of this deviation to all channels alike (`shared` of it) and separately (the rest), float 0..255.
at::Tensor noisy(const at::Tensor& rgb, double deviation, std::uint64_t seed);
// float 0..255 -> uint8, rounded and clamped.
at::Tensor to_bytes(const at::Tensor& rgb);

// Mean absolute difference of horizontal and vertical neighbours, in levels of 0..255: how much there is to see.
double detail(const at::Tensor& rgb);

}  // namespace kinora::train
