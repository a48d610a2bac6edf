#include "models/unet/feed_forward.hpp"

#include <ATen/ops/gelu.h>

namespace kinora::models::unet {

FeedForward::FeedForward(const nn::Weights& w, std::int64_t width)
    : proj(w / "net" / 0 / "proj", width, 8 * width), out(w / "net" / 2, 4 * width, width) {}

at::Tensor FeedForward::operator()(const at::Tensor& x) const {
  const auto both = proj(x);
  const std::int64_t half = both.size(-1) / 2;
  return out(at::gelu(both.narrow(-1, half, half)).mul_(both.narrow(-1, 0, half)));
}

}  // namespace kinora::models::unet
