#pragma once
// The VAE of Stable Diffusion, SDXL and Stable Video Diffusion: its authors' names ("decoder.up.3.block.0.norm1") as diffusers'
// ("decoder.up_blocks.0.resnets.0.norm1").
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kinora::models::single_file {

// path: a weight without prefix; levels: of the decoder, whose order of levels is reversed; video: the decoder is temporal.
// nullopt when it is none of the VAE's.
std::optional<std::string> vae_name(std::string_view path, std::int64_t levels, bool video);

}  // namespace kinora::models::single_file
