#pragma once
// Which module of which network an adapter file means: its names are the network's paths with '.' or '_', in the naming of diffusers or of
// the model's authors, after a prefix that tells the network.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/weights.hpp"

namespace kinora::models::lora {

struct ModuleRef {
  std::string component, module;  // "unet", "down_blocks.0.resnets.0.conv1"
};

class ModuleNames {
 public:
  void add(const std::string& component, const nn::Parameters& parameters);
  // "lora_unet_input_blocks_4_1_proj_in", "unet.down_blocks.0...", "diffusion_model.blocks.0...", "lora_te1_text_model_...".
  // denoiser: the component that "lora_unet_", "diffusion_model." and names without prefix mean.
  std::optional<ModuleRef> find(const std::string& name, const std::string& denoiser) const;

 private:
  struct Component {
    std::map<std::string, std::string> by_underscores;  // "down_blocks_0_conv" -> "down_blocks.0.conv"
    std::int64_t unet_layers = 0;
  };
  std::optional<std::string> find_in(const Component& component, std::string path) const;

  std::map<std::string, Component> components_;
};

}  // namespace kinora::models::lora
