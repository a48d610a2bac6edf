#pragma once
// What models want done to pictures before they see them, and to their results before people do. Pictures are uint8 [H, W, 3] on the CPU.
// Immutable: any thread. Bad pictures: std::invalid_argument; bad configurations: LoadError.
#include <ATen/core/Tensor.h>

#include <array>
#include <optional>

#include "nn/json_config.hpp"
#include "nn/pixels/pillow_resize.hpp"

namespace kinora::nn {

// preprocessor_config.json of CLIPImageProcessor, SiglipImageProcessor and their like: resize, crop the middle, scale, normalise.
class ImageProcessor {
 public:
  static ImageProcessor read(const JsonConfig& config);

  // -> float [1, 3, h, w].
  at::Tensor operator()(const at::Tensor& picture) const;
  // The last step alone: x [B, 3, H, W] float in 0..1 -> (x - mean) / std.
  at::Tensor normalized(const at::Tensor& x) const;

 private:
  struct Size {
    std::int64_t height, width;
  };
  at::Tensor resized(const at::Tensor& chw) const;
  static Size read_size(const JsonConfig& config, const char* member, std::optional<std::int64_t>* shortest);

  std::optional<Size> size_;                   // resize to exactly this
  std::optional<std::int64_t> shortest_edge_;  // or until the shorter side has this length
  std::optional<Size> crop_;
  Filter filter_ = Filter::bicubic;
  std::optional<double> rescale_;
  std::optional<std::array<std::array<double, 3>, 2>> mean_std_;
};

// VaeImageProcessor of diffusers. Sides are taken as given; the VAE asks for multiples of its factor.
at::Tensor picture_to_latent_range(const at::Tensor& picture, std::int64_t height,
                                   std::int64_t width);  // -> [1, 3, h, w] in -1..1, Lanczos
// x [B, 3, H, W] in -1..1, any floating type and device -> uint8 [B, H, W, 3] on the CPU; values outside are clamped.
at::Tensor latent_range_to_pictures(const at::Tensor& x);
// x as above -> float [B, H, W, 3] in 0..1 on the CPU.
at::Tensor latent_range_to_floats(const at::Tensor& x);
// A mask to paint in (white: repaint) -> float [1, 1, h, w] of 0 and 1: grey by luma, Lanczos, cut at one half.
at::Tensor mask_from_picture(const at::Tensor& picture, std::int64_t height, std::int64_t width);

}  // namespace kinora::nn
