#pragma once
// The views between pictures and token lists. The networks keep pictures in channels-last memory ([B, H, W, C] in storage), in which all
// of these cost nothing; other layouts are copied.
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kinora::models::unet {

// [B, C, H, W] -> [B, H W, C]
inline at::Tensor to_tokens(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).flatten(1, 2); }
// [B, H W, C] -> [B, C, H, W]
inline at::Tensor to_picture(const at::Tensor& tokens, std::int64_t height, std::int64_t width) {
  return tokens.unflatten(1, {height, width}).permute({0, 3, 1, 2});
}

// Frames of `batch` videos one after another, [B F, C, H, W] -> [B, C, F, H W]: a picture whose rows are the frames.
inline at::Tensor frames_to_rows(const at::Tensor& x, std::int64_t batch) {
  return to_tokens(x).unflatten(0, {batch, -1}).permute({0, 3, 1, 2});
}
// [B, C, F, H W] -> [B F, C, H, W]
inline at::Tensor rows_to_frames(const at::Tensor& rows, std::int64_t height, std::int64_t width) {
  return to_picture(rows.permute({0, 2, 3, 1}).flatten(0, 1), height, width);
}

}  // namespace kinora::models::unet
