#pragma once
// Which file holds a component's weights: the naming rules of diffusers ("diffusion_pytorch_model") and transformers ("model",
// "pytorch_model") for whole, sharded and variant files. Looks at names only. Errors: LoadError.
#include <filesystem>
#include <optional>
#include <string>

namespace kinora::nn {

// The checkpoint file or shard index of a component folder such as unet/.
//   variant nullopt  the "fp16" files when they are there, else the plain ones, else the only checkpoint in the folder
//   variant ""       the plain ones
//   variant "fp16"   those of this variant; an error that lists the variants that are there when it is missing
// safetensors come before pickled files (.bin, .pth, .ckpt).
std::filesystem::path find_weights(const std::filesystem::path& folder, const std::optional<std::string>& variant = std::nullopt);

}  // namespace kinora::nn
