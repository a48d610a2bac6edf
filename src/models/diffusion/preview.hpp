#pragma once
// A small picture of latents without the VAE: each latent pixel through a linear map to RGB. The factors are those in common use,
// fitted by regression and published in ComfyUI's comfy/latent_formats.py (commit 040a324).
#include <ATen/core/Tensor.h>

#include "models/pipeline.hpp"

namespace kinora::models::diffusion {

enum class LatentSpace {
  sd,      // of SD 1.x, 2.x, SVD and AnimateDiff: 4 channels
  sdxl,    // 4 channels
  wan,     // of Wan 2.1: 16 channels
  decoded  // no latents but a picture, 3 channels in -1..1
};

// clean [C, h, w], as the denoiser has them -> [h, w].
RgbPicture preview(LatentSpace space, const at::Tensor& clean);

}  // namespace kinora::models::diffusion
