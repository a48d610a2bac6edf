#include "models/single_file/family.hpp"

#include <algorithm>
#include <string>

namespace kinora::models::single_file {

std::string_view name(Family family) {
  switch (family) {
    case Family::sd1: return "Stable Diffusion 1";
    case Family::sd2: return "Stable Diffusion 2";
    case Family::sdxl: return "Stable Diffusion XL";
    case Family::sdxl_refiner: return "Stable Diffusion XL refiner";
    case Family::svd: return "Stable Video Diffusion";
  }
  return "";
}

std::optional<Family> detect(const nn::WeightShapes& shapes) {
  const std::string unet = "model.diffusion_model.";
  if (!shapes.contains(unet + "input_blocks.0.0.weight")) return std::nullopt;
  const bool video = std::any_of(shapes.begin(), shapes.end(), [&](const auto& entry) {
    return entry.first.starts_with(unet) && entry.first.find(".time_stack.") != std::string::npos;
  });
  if (video) return Family::svd;
  if (shapes.contains("conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias")) return Family::sdxl;
  if (shapes.contains("conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias")) return Family::sdxl_refiner;
  const auto context = shapes.find(unet + "input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight");
  if (context != shapes.end() && context->second.size() == 2 && context->second[1] == 1024) return Family::sd2;
  return Family::sd1;
}

}  // namespace kinora::models::single_file
