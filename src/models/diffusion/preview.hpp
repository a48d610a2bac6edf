#pragma once
// A small picture of latents without the VAE: each latent pixel through a linear map to RGB. The factors are those in common use,
// fitted by regression and published in ComfyUI's comfy/latent_formats.py (commit 040a324).
#include <ATen/core/Tensor.h>

#include "models/pipeline.hpp"

namespace kinora::models::diffusion {

enum class LatentSpace { sd, sdxl };  // of SD 1.x, 2.x, SVD and AnimateDiff; of SDXL

// clean [4, h, w], as the denoiser has them -> [h, w].
RgbPicture preview(LatentSpace space, const at::Tensor& clean);

}  // namespace kinora::models::diffusion
