#include "runner/weight_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "models/single_file/family.hpp"
#include "models/single_file/video_model.hpp"
#include "nn/checkpoint.hpp"

namespace kinora::runner {

WeightFile tell_weight_file(const std::filesystem::path& file, std::vector<models::single_file::VideoPart>& parts) {
  namespace single_file = models::single_file;
  auto checkpoint = nn::open_checkpoint(file);
  const auto shapes = checkpoint.shapes();
  if (single_file::detect(shapes)) return WeightFile::whole_model;
  if (parts = single_file::video_parts(file, std::move(checkpoint)); !parts.empty()) {
    const bool transformer =
        std::any_of(parts.begin(), parts.end(), [](const auto& part) { return single_file::is_video_transformer(part.kind); });
    return transformer && !single_file::is_second_expert(file) ? WeightFile::video_model : WeightFile::video_part;
  }
  if (shapes.contains("add_embedding.linear_1.weight") && shapes.contains("conv_in.weight")) return WeightFile::sdxl_unet;
  constexpr std::array<std::string_view, 5> kSigns{".lora_", "_lora.", ".lora.", ".hada_w", ".lokr_w"};
  const bool adapter = std::any_of(shapes.begin(), shapes.end(), [&](const auto& entry) {
    return std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) { return entry.first.find(sign) != std::string::npos; });
  });
  return adapter ? WeightFile::adapter : WeightFile::other;
}

}  // namespace kinora::runner
