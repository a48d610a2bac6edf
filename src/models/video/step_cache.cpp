#include "models/video/step_cache.hpp"

#include <ATen/TensorOperators.h>

namespace kinora::models::video {

at::Tensor StepCache::instead(const at::Tensor& tokens, const at::Tensor& after_first) {
  ++passes_;
  auto change = after_first.sub(tokens);
  if (first_change_.defined()) {
    const auto apart = change.sub(first_change_).abs_().mean();
    if (apart.div(first_change_.abs().mean()).item<double>() <= threshold_) {
      ++shortened_;
      return after_first.add(later_change_);
    }
  }
  first_change_ = std::move(change);
  return {};
}

void StepCache::forget() {
  first_change_.reset();
  later_change_.reset();
}

}  // namespace kinora::models::video
