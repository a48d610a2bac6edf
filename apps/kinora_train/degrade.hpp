#pragma once
// Makes training pairs: a short shot of real picture, its small, H.264-coded version, and what the network should answer.
// Everything follows from the random stream handed in. Throws Failure.
//
//   photo or clip -> shot of kShotFrames pictures (a photo moves by a steady pan): `high`
//   -> blur -> 4:2:0 -> shrunk -> noise -> H.264 at some CRF -> RGB: `low`.
#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "kinora_train/random.hpp"
#include "kinora_train/scaler.hpp"

namespace kinora::train {

inline constexpr int kShotFrames = 10;  // pictures encoded together
inline constexpr int kShotKept = 3;     // of them used: coding quality differs by frame type
inline constexpr int kShotSide = 320;   // pixels of `high`
inline constexpr int kMaxPan = 6;       // pixels of `high` a frame
inline constexpr int kMinCrf = 17;
inline constexpr int kMaxCrf = 31;

struct Recipe {
  double zoom = 1;  // pixels of the shot per pixel of the photo, <= 1
  int pan_x = 0;    // pixels of the shot a frame
  int pan_y = 0;
  Kernel kernel = Kernel::bicubic;  // that shrinks it
  double blur = 0;                  // sigma in pixels of the shot
  double noise = 0;                 // deviation in levels of 0..255, of the shrunk pictures
  bool coded = true;
  int crf = 23;
  std::string preset = "medium";
};

// min_zoom: the smallest zoom at which the source still fills a shot. Three of five recipes neither blur nor add noise:
// a blurred picture looks like one that was soft, and what sharpens the one spoils the other.
Recipe draw_recipe(Random& random, std::int64_t scale, double min_zoom);

struct Pair {
  at::Tensor low;   // uint8 [3, kShotSide / scale, kShotSide / scale]
  at::Tensor high;  // uint8 [3, kShotSide, kShotSide]
  std::int64_t scale() const { return high.size(1) / low.size(1); }
};

// The smallest zoom for a photo of this size; above 1: the photo is too small.
double min_zoom(std::int64_t height, std::int64_t width);
// A pan over a well-filled part of the photo (uint8 [3, H, W]): float 0..255 [3, kShotSide, kShotSide] each.
std::vector<at::Tensor> shot_of_photo(const at::Tensor& photo, const Recipe& recipe, Random& random);
// The same window of consecutive pictures of a clip (uint8 [3, H, W], one size). Zoom and pan of the recipe are not used.
std::vector<at::Tensor> shot_of_clip(std::span<const at::Tensor> pictures, Random& random);

// kShotKept pairs. scale: a divisor of half of kShotSide.
std::vector<Pair> degrade(const std::vector<at::Tensor>& shot, std::int64_t scale, const Recipe& recipe, Random& random);

}  // namespace kinora::train
