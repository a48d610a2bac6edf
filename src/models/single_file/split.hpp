#pragma once
// Takes a single file of Stable Diffusion 1 and 2, SDXL, its refiner, or Stable Video Diffusion apart into the components of a diffusers
// folder: "unet", "vae", "text_encoder", "text_encoder_2", "image_encoder", each under the names that its network asks for. Nothing is
// read.
#include <map>
#include <string>

#include "models/single_file/family.hpp"
#include "nn/checkpoint.hpp"

namespace kinora::models::single_file {

// A component's tensor that has no counterpart keeps its name, so that the network's check reports it. What belongs to no component
// (training state, exponential averages, schedules) is left out.
std::map<std::string, nn::Checkpoint> split(const nn::Checkpoint& file, Family family);

}  // namespace kinora::models::single_file
