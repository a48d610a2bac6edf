#include "runner/enlarger.hpp"

#include "models/resample.hpp"

namespace kinora::runner {

void Enlarger::run(const models::Picture& in, Buffer& out, const models::Watch& watch) {
  const std::int64_t width = in.width * upscaler_.scale(), height = in.height * upscaler_.scale();
  if (width == target(in.width) && height == target(in.height)) return upscaler_.upscale(in, out.data(), watch);
  between_.resize(picture_bytes(in.type, width, height));
  upscaler_.upscale(in, between_.data(), watch);
  models::resample({.data = between_.data(), .type = in.type, .width = width, .height = height}, target(in.width), target(in.height),
                   out.data());
}

}  // namespace kinora::runner
