#include "models/single_file/wan_vae_names.hpp"

#include "models/single_file/path_cut.hpp"

namespace kinora::models::single_file {
namespace {

std::string resnet_part(const PathCut& cut) {
  return cut.renamed(
      {{"residual.0", "norm1"}, {"residual.2", "conv1"}, {"residual.3", "norm2"}, {"residual.6", "conv2"}, {"shortcut", "conv_shortcut"}});
}

std::string numbered(std::string_view list, std::int64_t index) { return std::string(list) + "." + std::to_string(index); }

// 2.1's encoder lists all layers of all levels, as diffusers does; 2.2's has a list within each level.
std::optional<std::string> down(PathCut cut, std::int64_t layers) {
  const auto index = cut.take_number();
  if (!index) return std::nullopt;
  const auto block = numbered("encoder.down_blocks", *index);
  if (!cut.take("downsamples")) return cut.joined({block, resnet_part(cut)});
  const auto layer = cut.take_number();
  if (!layer) return std::nullopt;
  return cut.joined({block, *layer < layers ? numbered("resnets", *layer) : "downsampler", resnet_part(cut)});
}

std::optional<std::string> up(PathCut cut, std::int64_t layers) {
  const auto index = cut.take_number();
  if (!index) return std::nullopt;
  const bool nested = cut.take("upsamples");
  const auto layer = nested ? cut.take_number() : std::optional(*index % (layers + 2));
  if (!layer) return std::nullopt;
  const auto block = numbered("decoder.up_blocks", nested ? *index : *index / (layers + 2));
  const std::string step = nested ? "upsampler" : "upsamplers.0";
  return cut.joined({block, *layer <= layers ? numbered("resnets", *layer) : step, resnet_part(cut)});
}

}  // namespace

std::optional<std::string> wan_vae_name(std::string_view path, std::int64_t layers) {
  PathCut cut(path, '.');
  if (cut.take("conv1")) return cut.joined({"quant_conv", cut.rest()});
  if (cut.take("conv2")) return cut.joined({"post_quant_conv", cut.rest()});
  const std::string_view side = cut.take("encoder") ? "encoder" : cut.take("decoder") ? "decoder" : "";
  if (side.empty()) return std::nullopt;
  if (cut.take("conv1")) return cut.joined({side, "conv_in", cut.rest()});
  if (cut.take("head.0")) return cut.joined({side, "norm_out", cut.rest()});
  if (cut.take("head.2")) return cut.joined({side, "conv_out", cut.rest()});
  if (cut.take("middle.0")) return cut.joined({side, "mid_block.resnets.0", resnet_part(cut)});
  if (cut.take("middle.1")) return cut.joined({side, "mid_block.attentions.0", cut.rest()});
  if (cut.take("middle.2")) return cut.joined({side, "mid_block.resnets.1", resnet_part(cut)});
  if (side == "encoder" && cut.take("downsamples")) return down(cut, layers);
  if (side == "decoder" && cut.take("upsamples")) return up(cut, layers);
  return std::nullopt;
}

}  // namespace kinora::models::single_file
