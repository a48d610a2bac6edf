#pragma once
// Decodes a job's latents picture by picture, within a limit of memory.
#include <ATen/core/Tensor.h>

#include "models/diffusion/job.hpp"
#include "models/stable_diffusion/vae.hpp"

namespace kinora::models::stable_diffusion {

// Bytes that the activations of one picture take at most while it is decoded: about four tensors of the second level's width at full size.
std::uint64_t decode_bytes(const VaeConfig& config, std::int64_t height, std::int64_t width, std::size_t element_bytes);

// latents [N, C, h, w] as the denoiser has them, at most `chunk` pictures at once -> [N, 3, H, W] float32 on the CPU. Pictures that
// would take more than `limit` bytes are decoded in blended tiles.
at::Tensor decode_pictures(diffusion::Job& job, const Vae& vae, const at::Tensor& latents, std::int64_t chunk, std::uint64_t limit);

}  // namespace kinora::models::stable_diffusion
