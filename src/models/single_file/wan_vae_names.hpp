#pragma once
// Wan's video VAE: its authors' names ("decoder.upsamples.3.residual.0.gamma") as diffusers' ("decoder.up_blocks.0.upsamplers.0...").
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kinora::models::single_file {

// layers: residual blocks of an encoder's level (num_res_blocks). nullopt when the path is none of the VAE's. Knows the flat lists of
// Wan 2.1 and the nested ones of 2.2.
std::optional<std::string> wan_vae_name(std::string_view path, std::int64_t layers);

}  // namespace kinora::models::single_file
