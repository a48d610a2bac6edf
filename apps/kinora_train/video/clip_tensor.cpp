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

}  // namespace kinora::train
