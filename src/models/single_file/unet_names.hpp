#pragma once
// The UNet of Stable Diffusion, SDXL and Stable Video Diffusion: its authors' names (ldm, sgm: "input_blocks.4.1.proj_in") as diffusers'
// ("down_blocks.1.attentions.0.proj_in"). Both files and adapters (LoRA) use them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kinora::models::single_file {

struct UnetNaming {
  std::int64_t layers = 2;  // resnets a level on the way down ("layers_per_block")
  bool video = false;       // each resnet has a spatial and a temporal half
  char separator = '.';     // '_' in adapter files
};

// path: a weight or module without prefix. nullopt when it is none of the UNet's.
std::optional<std::string> unet_name(std::string_view path, const UnetNaming& naming);

}  // namespace kinora::models::single_file
