#include "models/diffusion/guidance.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/std.h>

#include <numeric>
#include <vector>

namespace kinora::models::diffusion {

at::Tensor guided(const at::Tensor& both, const at::Tensor& scale, double rescale) {
  const auto halves = both.chunk(2);
  const auto& without = halves[0];
  const auto& with = halves[1];
  auto out = without + (with - without) * scale;
  if (rescale == 0) return out;
  std::vector<std::int64_t> dims(static_cast<std::size_t>(out.dim() - 1));
  std::iota(dims.begin(), dims.end(), 1);
  const auto deviation = [&](const at::Tensor& x) {
    return at::std(x, at::OptionalIntArrayRef(dims), /*unbiased=*/true, /*keepdim=*/true);
  };
  return out * (deviation(with) / deviation(out)) * rescale + out * (1 - rescale);
}

}  // namespace kinora::models::diffusion
