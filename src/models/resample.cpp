#include "models/resample.hpp"

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <c10/core/InferenceMode.h>

#include "models/picture_tensor.hpp"

namespace kinora::models {

void resample(const Picture& in, std::int64_t width, std::int64_t height, void* out) {
  const c10::InferenceMode inference;
  const auto source = view_picture(in.data, in.type, in.width, in.height).unsqueeze(0).to(at::kFloat).div(full_scale(in.type));
  const auto scaled = at::_upsample_bicubic2d_aa(source, {height, width}, /*align_corners=*/false);
  view_picture(out, in.type, width, height).copy_(to_samples(scaled.squeeze(0), in.type));
}

}  // namespace kinora::models
