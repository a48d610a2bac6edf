#include "media/compare.hpp"

#include <algorithm>

#include "media/fit.hpp"
#include "media/image.hpp"
#include "media/reel.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

// Seconds of pictures; 0 for a still one.
base::Result<double> seconds_of(const std::string& path, const Limits& limits) {
  KINORA_TRY(const MediaInfo info, probe(path, limits));
  if (info.video() == nullptr || info.duration_s <= 0) return 0.0;
  KINORA_TRY(const PictureTimes times, picture_times(path, limits));
  return times.end_s;
}

base::Result<Frame> picture_at(const std::string& path, double seconds, double at_s, const Limits& limits) {
  if (seconds <= 0) return read_image(path, limits);
  KINORA_TRY(const Reel reel, Reel::open({path, at_s, std::nullopt}, seconds - at_s, limits));
  return reel.first();
}

base::Result<FrameQuality> likeness(const Frame& a, const Frame& b) {
  const Canvas canvas_a = canvas_of(a), canvas_b = canvas_of(b);
  const Canvas& smaller = canvas_a.width * canvas_a.height <= canvas_b.width * canvas_b.height ? canvas_a : canvas_b;
  Fitter fit_a(smaller), fit_b(smaller);
  KINORA_TRY(const Frame fitted_a, fit_a.fit(a));
  KINORA_TRY(const Frame fitted_b, fit_b.fit(b));
  return measure_frame(fitted_a, fitted_b);
}

}  // namespace

base::Result<Likeness> compare(const std::string& path_a, const std::string& path_b, const CompareOptions& options,
                               const Control& control) {
  KINORA_TRY(const double seconds_a, seconds_of(path_a, options.limits));
  KINORA_TRY(const double seconds_b, seconds_of(path_b, options.limits));
  const bool still = seconds_a <= 0 || seconds_b <= 0;
  const double seconds = std::min(seconds_a, seconds_b);
  const int samples = still ? 1 : std::clamp(options.samples, 1, kMaxCompared);
  Likeness out;
  out.worst = {kMaxPsnr, 1};
  for (int i = 0; i < samples; ++i) {
    if (control.stop.stop_requested()) return base::fail(ErrorCode::canceled, "canceled");
    const double at = still ? 0 : (i + 0.5) / samples * seconds;
    KINORA_TRY(const Frame a, picture_at(path_a, seconds_a, at, options.limits));
    KINORA_TRY(const Frame b, picture_at(path_b, seconds_b, at, options.limits));
    KINORA_TRY(const FrameQuality one, likeness(a, b));
    out.mean.psnr_y += one.psnr_y / samples;
    out.mean.ssim_y += one.ssim_y / samples;
    out.worst.psnr_y = std::min(out.worst.psnr_y, one.psnr_y);
    out.worst.ssim_y = std::min(out.worst.ssim_y, one.ssim_y);
    ++out.samples;
    if (control.report) control.report({static_cast<double>(i + 1) / samples, i + 1, samples});
  }
  return out;
}

}  // namespace kinora::media
