#include "runner/image_upscale.hpp"

#include "runner/enlarger.hpp"
#include "runner/picture_file.hpp"

namespace kinora::runner {
namespace {

using models::SampleType;

// The network sees colours only: alpha goes through it as a grey picture.
Buffer enlarge_alpha(const StillPicture& picture, Enlarger& enlarger, const models::Watch& watch) {
  const bool deep = picture.type == SampleType::planar_u16;
  const std::size_t sample = deep ? 2 : 1;
  Buffer grey(picture.alpha.size() * 3);
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < picture.alpha.size() / sample; ++i)
      for (std::size_t b = 0; b < sample; ++b)
        grey[deep ? c * picture.alpha.size() + i * sample + b : 3 * i + c] = picture.alpha[i * sample + b];
  const std::int64_t width = enlarger.target(picture.width), height = enlarger.target(picture.height);
  Buffer large(picture_bytes(picture.type, width, height));
  enlarger.run({.data = grey.data(), .type = picture.type, .width = picture.width, .height = picture.height}, large, watch);
  if (deep) {
    large.resize(large.size() / 3);
    return large;
  }
  Buffer alpha(large.size() / 3);
  for (std::size_t i = 0; i < alpha.size(); ++i) alpha[i] = large[3 * i + 1];
  return alpha;
}

}  // namespace

base::Result<ImageUpscaled> upscale_image(const ImageUpscale& request, models::Upscaler& upscaler, const media::Control& control) {
  KINORA_TRY(const StillPicture small, read_picture(request.input, request.limits));
  Enlarger enlarger(upscaler, request.scale, /*even=*/false);
  StillPicture large{
      .type = small.type, .width = enlarger.target(small.width), .height = enlarger.target(small.height), .rgb = {}, .alpha = {}};
  if (large.width > media::kMaxMadeSide || large.height > media::kMaxMadeSide || large.width > kMaxImagePixelsOut / large.height)
    return base::fail(base::ErrorCode::too_large,
                      "the enlarged picture would have " + std::to_string(large.width) + "x" + std::to_string(large.height) + " pixels");
  const std::int64_t pixels = small.width * small.height;
  const double passes = small.alpha.empty() ? 1 : 2;
  double before = 0;  // passes that are done
  const models::Watch watch = [&](double part) {
    const double fraction = (before + part) / passes;
    if (control.report)
      control.report({.fraction = 0.999 * fraction,
                      .frames_done = static_cast<std::int64_t>(fraction * static_cast<double>(pixels)),
                      .frames_total = pixels});
    return !control.stop.stop_requested();
  };
  try {
    large.rgb.resize(picture_bytes(large.type, large.width, large.height));
    enlarger.run({.data = small.rgb.data(), .type = small.type, .width = small.width, .height = small.height}, large.rgb, watch);
    before = 1;
    if (!small.alpha.empty()) large.alpha = enlarge_alpha(small, enlarger, watch);
  } catch (const models::Stopped&) {
    return base::fail(base::ErrorCode::canceled, "canceled");
  }
  KINORA_OK(write_picture(request.output, large, request.type));
  return ImageUpscaled{.width = large.width, .height = large.height};
}

}  // namespace kinora::runner
