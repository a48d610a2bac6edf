#pragma once
// What an image-to-video model is told of the frames that are given: their latents, and a mask of where they are.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "models/diffusion/job.hpp"
#include "models/wan/vae.hpp"

namespace kinora::models::wan {

struct VideoSize {
  std::int64_t frames = 1, height = 0, width = 0;  // of pixels
};

// The picture as a frame of the video, resized (Lanczos): [1, 3, 1, height, width] in -1..1.
at::Tensor frame_of(const RgbPicture& picture, const VideoSize& size);

// Beside the noise: first (and last, or undefined) as frame_of() gives them -> [1, time_factor + latent_channels, T, h, w] float32: the
// mask (1: given) frame by frame, then the latents of a video that is grey but for the given frames.
at::Tensor given_channels(const Vae& vae, const at::Tensor& first, const at::Tensor& last, const VideoSize& size,
                          const VaeSavings& savings);

// Instead of the noise: the latents of the first frame [1, latent_channels, 1, h, w] float32.
at::Tensor given_first(const Vae& vae, const at::Tensor& first);

}  // namespace kinora::models::wan
