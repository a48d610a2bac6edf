#pragma once
// A still picture made larger. Transparency and 16-bit depth are kept in PNG; the picture is turned upright.
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "media/image.hpp"
#include "media/progress.hpp"
#include "models/upscaler.hpp"

namespace kinora::runner {

// Pixels of the result: 400 MB of 8-bit RGB.
inline constexpr std::int64_t kMaxImagePixelsOut = 16384LL * 8192;

struct ImageUpscale {
  std::string input;
  std::string output;
  media::ImageType type = media::ImageType::png;
  double scale = 2;
  media::Limits limits = {};
};
struct ImageUpscaled {
  std::int64_t width = 0, height = 0;
};

// On the calling thread; `control.report` counts pixels of the source as frames_done. Exceptions of the upscaler pass through,
// but for Stopped, which is ErrorCode::canceled.
base::Result<ImageUpscaled> upscale_image(const ImageUpscale& request, models::Upscaler& upscaler, const media::Control& control);

}  // namespace kinora::runner
