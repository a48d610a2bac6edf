#pragma once
// The components of Wan and LTX-Video under diffusers' names, whichever layout their file has: diffusers' own, their authors', ComfyUI's
// (the same after "model.diffusion_model."), GGUF. What is in diffusers' layout is left as it is. Errors: nn::LoadError.
#include <cstdint>

#include "nn/checkpoint.hpp"

namespace kinora::models::single_file {

nn::Checkpoint wan_transformer(nn::Checkpoint file);
nn::Checkpoint wan_vae(nn::Checkpoint file, std::int64_t layers);
nn::Checkpoint ltx_transformer(nn::Checkpoint file);  // what else the file holds is left out
nn::Checkpoint ltx_vae(nn::Checkpoint file);          // likewise

}  // namespace kinora::models::single_file
