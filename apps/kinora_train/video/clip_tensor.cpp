#include "kinora_train/video/clip_tensor.hpp"

#include <ATen/ops/from_blob.h>

namespace kinora::train {

at::Tensor clip_tensor(const Clip& clip) {
  auto* const data = const_cast<std::uint8_t*>(clip.pixels.data());  // read only: the next line copies
  return at::from_blob(data, {clip.frames, clip.height, clip.width, 3}, at::kByte)
      .permute({3, 0, 1, 2})
      .to(at::kFloat)
      .div_(127.5)
      .sub_(1)
      .contiguous();
}

Clip clip_of(const at::Tensor& video) {
  const auto bytes = video.to(at::kFloat).add(1).mul(127.5).round().clamp(0, 255).permute({1, 2, 3, 0}).to(at::kByte).contiguous();
  const auto* const first = static_cast<const std::uint8_t*>(bytes.const_data_ptr());
  return {.frames = static_cast<int>(bytes.size(0)),
          .height = static_cast<int>(bytes.size(1)),
          .width = static_cast<int>(bytes.size(2)),
          .pixels = {first, first + bytes.numel()}};
}

}  // namespace kinora::train
