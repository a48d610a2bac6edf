#include "models/single_file/vae_names.hpp"

#include "models/single_file/path_cut.hpp"

namespace kinora::models::single_file {
namespace {

std::string resnet_part(PathCut cut, bool temporal) {
  auto spatial = cut.renamed({{"nin_shortcut", "conv_shortcut"}});
  if (!temporal) return spatial;
  if (cut.rest() == "mix_factor") return "time_mixer.mix_factor";
  if (cut.take("time_stack"))
    return cut.joined(
        {"temporal_res_block",
         cut.renamed({{"in_layers.0", "norm1"}, {"in_layers.2", "conv1"}, {"out_layers.0", "norm2"}, {"out_layers.3", "conv2"}})});
  return cut.joined({"spatial_res_block", spatial});
}

std::string attention_part(const PathCut& cut) {
  return cut.renamed({{"norm", "group_norm"}, {"q", "to_q"}, {"k", "to_k"}, {"v", "to_v"}, {"proj_out", "to_out.0"}});
}

std::optional<std::string> level(PathCut cut, std::string_view side, std::int64_t levels, bool temporal) {
  const bool decoder = side == "decoder";
  const auto index = cut.take_number();
  if (!index || *index >= levels) return std::nullopt;
  const auto at = decoder ? "up_blocks." + std::to_string(levels - 1 - *index) : "down_blocks." + std::to_string(*index);
  if (cut.take("block")) {
    const auto layer = cut.take_number();
    if (!layer) return std::nullopt;
    return cut.joined({side, at, "resnets", std::to_string(*layer), resnet_part(cut, temporal)});
  }
  if (decoder && cut.take("upsample.conv")) return cut.joined({side, at, "upsamplers.0.conv", cut.rest()});
  if (!decoder && cut.take("downsample.conv")) return cut.joined({side, at, "downsamplers.0.conv", cut.rest()});
  return std::nullopt;
}

}  // namespace

std::optional<std::string> vae_name(std::string_view path, std::int64_t levels, bool video) {
  PathCut cut(path, '.');
  if (cut.take("quant_conv") || cut.take("post_quant_conv")) return std::string(path);
  const std::string_view side = cut.take("encoder") ? "encoder" : cut.take("decoder") ? "decoder" : "";
  if (side.empty()) return std::nullopt;
  const bool temporal = video && side == "decoder";
  if (cut.take(side == "decoder" ? "up" : "down")) return level(cut, side, levels, temporal);
  if (cut.take("mid.block_1")) return cut.joined({side, "mid_block.resnets.0", resnet_part(cut, temporal)});
  if (cut.take("mid.block_2")) return cut.joined({side, "mid_block.resnets.1", resnet_part(cut, temporal)});
  if (cut.take("mid.attn_1")) return cut.joined({side, "mid_block.attentions.0", attention_part(cut)});
  if (cut.rest().starts_with("conv_in.") || cut.rest().starts_with("conv_out.")) return std::string(path);
  auto renamed = cut.renamed({{"norm_out", "conv_norm_out"}, {"time_mix_conv", "time_conv_out"}});
  if (renamed == cut.rest()) return std::nullopt;
  return cut.joined({side, renamed});
}

}  // namespace kinora::models::single_file
