#pragma once
// What a file of weights without a folder around it is, told by the names of its tensors. Reads its header only. Any thread.
#include <filesystem>
#include <vector>

#include "models/single_file/video_parts.hpp"

namespace kinora::runner {

enum class WeightFile {
  whole_model,  // in its authors' layout (models/single_file)
  video_model,  // the transformer of Wan or LTX-Video, with or without the rest of the model
  video_part,   // something else of these
  sdxl_unet,    // in diffusers' names, as SDXL-Lightning publishes it
  adapter,      // LoRA of any naming
  other
};
// Throws nn::LoadError when it cannot be read. parts: of a video_model or video_part, what it holds.
WeightFile tell_weight_file(const std::filesystem::path& file, std::vector<models::single_file::VideoPart>& parts);

}  // namespace kinora::runner
