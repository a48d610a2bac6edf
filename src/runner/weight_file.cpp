#include "runner/weight_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "models/single_file/family.hpp"
#include "nn/checkpoint.hpp"

namespace kinora::runner {

WeightFile tell_weight_file(const std::filesystem::path& file) {
  const auto shapes = nn::open_checkpoint(file).shapes();
  if (models::single_file::detect(shapes)) return WeightFile::whole_model;
  if (shapes.contains("add_embedding.linear_1.weight") && shapes.contains("conv_in.weight")) return WeightFile::sdxl_unet;
  constexpr std::array<std::string_view, 5> kSigns{".lora_", "_lora.", ".lora.", ".hada_w", ".lokr_w"};
  const bool adapter = std::any_of(shapes.begin(), shapes.end(), [&](const auto& entry) {
    return std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) { return entry.first.find(sign) != std::string::npos; });
  });
  return adapter ? WeightFile::adapter : WeightFile::other;
}

}  // namespace kinora::runner
