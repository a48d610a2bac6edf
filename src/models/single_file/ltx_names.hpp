#pragma once
// LTX-Video: its authors' names as diffusers'. One file holds the transformer ("model.diffusion_model.") and the VAE ("vae.").
#include <optional>
#include <string>
#include <string_view>

namespace kinora::models::single_file {

enum class LtxVae { v090, v091, v095 };

std::string ltx_transformer_name(std::string_view path);  // without the prefix
// path: without "vae.". nullopt: a statistic that no one uses.
std::optional<std::string> ltx_vae_name(std::string_view path, LtxVae version);

}  // namespace kinora::models::single_file
