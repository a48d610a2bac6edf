#include "models/diffusion/guidance.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/std.h>
#include <c10/core/InferenceMode.h>

#include <future>
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

std::pair<at::Tensor, at::Tensor> both_branches(bool apart, const std::function<at::Tensor(std::size_t)>& predict) {
  if (!apart) {
    auto first = predict(0);
    return {std::move(first), predict(1)};
  }
  auto second = std::async(std::launch::async, [&predict] {
    const c10::InferenceMode inference;
    return predict(1);
  });
  auto first = predict(0);
  return {std::move(first), second.get()};
}

}  // namespace kinora::models::diffusion
