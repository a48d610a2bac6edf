#include "models/single_file/ltx_names.hpp"

#include "models/single_file/path_cut.hpp"

namespace kinora::models::single_file {
namespace {

void replace(std::string& text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

std::string within_block(std::string_view rest) {
  std::string name(rest);
  replace(name, "res_blocks", "resnets");
  replace(name, "conv_shortcut", "conv_shortcut.conv");
  replace(name, "norm3.norm", "norm3");
  return name;
}

// Steps stand between the levels as blocks of their own. In 0.9.0 a change of channels is one too.
std::string up_block(std::int64_t index, LtxVae version) {
  if (index == 0) return "mid_block";
  if (version != LtxVae::v090) {
    const auto level = std::to_string((index - 1) / 2);
    return "up_blocks." + level + (index % 2 == 1 ? ".upsamplers.0" : "");
  }
  if (index < 4) return index == 1 ? "up_blocks.0" : index == 2 ? "up_blocks.1.upsamplers.0" : "up_blocks.1";
  const auto level = std::to_string(2 + (index - 4) / 3);
  return "up_blocks." + level + (index % 3 == 1 ? ".conv_in" : index % 3 == 2 ? ".upsamplers.0" : "");
}

std::string down_block(std::int64_t index, LtxVae version) {
  if (version == LtxVae::v095) {
    if (index == 8) return "mid_block";
    return "down_blocks." + std::to_string(index / 2) + (index % 2 == 1 ? ".downsamplers.0" : "");
  }
  constexpr std::string_view kBlocks[] = {"down_blocks.0", "down_blocks.0.downsamplers.0", "down_blocks.0.conv_out",
                                          "down_blocks.1", "down_blocks.1.downsamplers.0", "down_blocks.1.conv_out",
                                          "down_blocks.2", "down_blocks.2.downsamplers.0", "down_blocks.3",
                                          "mid_block"};
  return index < 10 ? std::string(kBlocks[index]) : "down_blocks." + std::to_string(index);
}

}  // namespace

std::string ltx_transformer_name(std::string_view path) {
  std::string name(path);
  replace(name, "patchify_proj", "proj_in");
  replace(name, "adaln_single", "time_embed");
  replace(name, "q_norm", "norm_q");
  replace(name, "k_norm", "norm_k");
  return name;
}

std::optional<std::string> ltx_vae_name(std::string_view path, LtxVae version) {
  PathCut cut(path, '.');
  if (cut.take("per_channel_statistics")) {
    if (cut.rest() == "mean-of-means") return "latents_mean";
    if (cut.rest() == "std-of-means") return "latents_std";
    return std::nullopt;
  }
  if (cut.take("encoder.down_blocks"))
    if (const auto index = cut.take_number()) return cut.joined({"encoder", down_block(*index, version), within_block(cut.rest())});
  if (cut.take("decoder.up_blocks"))
    if (const auto index = cut.take_number()) return cut.joined({"decoder", up_block(*index, version), within_block(cut.rest())});
  std::string name(path);
  replace(name, "last_time_embedder", "time_embedder");
  replace(name, "last_scale_shift_table", "scale_shift_table");
  return name;
}

}  // namespace kinora::models::single_file
