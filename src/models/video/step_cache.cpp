#include "models/video/step_cache.hpp"

#include <ATen/TensorOperators.h>

namespace kinora::models::video {

at::Tensor StepCache::instead(const at::Tensor& tokens, const at::Tensor& after_first) {
  ++passes_;
  if (!first_change_.defined()) return {};
  const auto apart = after_first.sub(tokens).sub_(first_change_).abs_().mean();
  if (apart.div(first_change_.abs().mean()).item<double>() > threshold_) return {};
  ++shortened_;
  return after_first.add(later_change_);
}

void StepCache::keep(const at::Tensor& tokens, const at::Tensor& after_first, const at::Tensor& out) {
  first_change_ = after_first.sub(tokens);
  later_change_ = out.sub(after_first);
}

void StepCache::forget() {
  first_change_.reset();
  later_change_.reset();
}

}  // namespace kinora::models::video
