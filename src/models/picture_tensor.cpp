#include "models/picture_tensor.hpp"

#include <ATen/ops/clamp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/round.h>

namespace kinora::models {

at::Tensor view_picture(const void* data, SampleType type, std::int64_t width, std::int64_t height) {
  auto* memory = const_cast<void*>(data);  // LibTorch has no tensor over const memory; inputs are only read
  if (type == SampleType::packed_u8) return at::from_blob(memory, {height, width, 3}, at::kByte).permute({2, 0, 1});
  return at::from_blob(memory, {3, height, width}, at::kUInt16);
}

double full_scale(SampleType type) { return type == SampleType::packed_u8 ? 255.0 : 65535.0; }

at::Tensor to_samples(const at::Tensor& rgb, SampleType type) {
  const auto whole = at::round(at::clamp(rgb, 0, 1).mul(full_scale(type))).to(at::kInt);
  return whole.to(type == SampleType::packed_u8 ? at::kByte : at::kUInt16);
}

}  // namespace kinora::models
