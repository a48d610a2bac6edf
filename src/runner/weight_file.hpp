#pragma once
// What a file of weights without a folder around it is, told by the names of its tensors. Reads its header only. Any thread.
#include <filesystem>

namespace kinora::runner {

enum class WeightFile {
  whole_model,  // in its authors' layout (models/single_file)
  sdxl_unet,    // in diffusers' names, as SDXL-Lightning publishes it
  adapter,      // LoRA of any naming
  other
};
// Throws nn::LoadError when it cannot be read.
WeightFile tell_weight_file(const std::filesystem::path& file);

}  // namespace kinora::runner
