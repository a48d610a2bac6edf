#pragma once
// How near one video is to another: PSNR, SSIM and flicker of luma, frame by frame in display order.
// SSIM is FFmpeg's `ssim` filter (8x8 windows every 4 pixels, no Gaussian), so numbers compare with what others publish.
#include <cstdint>
#include <string>
#include <vector>

#include "media/frame.hpp"
#include "media/limits.hpp"
#include "media/progress.hpp"

namespace kinora::media {

// Identical pictures have no finite PSNR; they count as this.
inline constexpr double kMaxPsnr = 100.0;

struct FrameQuality {
  double psnr_y = 0;  // dB, at most kMaxPsnr
  double ssim_y = 0;  // -1..1
  // What changes since the frame before and does not in the reference: mean |(b - b before) - (a - a before)|, in 8-bit levels; of a
  // video's first frame 0. Flicker, pulsing and swimming texture show here and hardly in PSNR.
  double flicker = 0;
};
struct Quality {
  FrameQuality mean;  // of the frames' values; flicker: from the second on
  std::vector<FrameQuality> frames;
  std::int64_t frames_a = 0, frames_b = 0;  // what each file holds; the shorter one ends the comparison
};
// Two frames of one size. Different bit depths are brought to the deeper one. invalid: sizes differ.
base::Result<FrameQuality> measure_frame(const Frame& a, const Frame& b);
// invalid: picture sizes differ, or either file has no frame.
base::Result<Quality> measure(const std::string& path_a, const std::string& path_b, const Limits& limits = {}, const Control& control = {});

}  // namespace kinora::media
