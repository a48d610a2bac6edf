#include "models/single_file/unet_names.hpp"

#include "models/single_file/path_cut.hpp"

namespace kinora::models::single_file {
namespace {

std::string resnet_part(PathCut cut, bool video) {
  const auto half = [](const PathCut& part) {
    return part.renamed({{"in_layers.0", "norm1"},
                         {"in_layers.2", "conv1"},
                         {"emb_layers.1", "time_emb_proj"},
                         {"out_layers.0", "norm2"},
                         {"out_layers.3", "conv2"},
                         {"skip_connection", "conv_shortcut"}});
  };
  if (!video) return half(cut);
  PathCut whole = cut;
  if (cut.take("time_mixer")) return std::string(whole.rest());
  if (cut.take("time_stack")) return cut.joined({"temporal_res_block", half(cut)});
  return cut.joined({"spatial_res_block", half(cut)});
}

std::string attention_part(const PathCut& cut) {
  return cut.renamed({{"time_stack", "temporal_transformer_blocks"},
                      {"time_pos_embed.0", "time_pos_embed.linear_1"},
                      {"time_pos_embed.2", "time_pos_embed.linear_2"}});
}

// "in 3" of "input_blocks.3.1.rest" -> {3, 1, rest}.
struct Place {
  std::int64_t block, part;
};
std::optional<Place> take_place(PathCut& cut) {
  const auto block = cut.take_number();
  const auto part = block ? cut.take_number() : std::nullopt;
  if (!part) return std::nullopt;
  return Place{*block, *part};
}

std::optional<std::string> input_block(PathCut cut, const UnetNaming& naming) {
  const auto place = take_place(cut);
  if (!place) return std::nullopt;
  if (place->block == 0) return place->part == 0 ? std::optional(cut.joined({"conv_in", cut.rest()})) : std::nullopt;
  const auto level = std::to_string((place->block - 1) / (naming.layers + 1)),
             layer = std::to_string((place->block - 1) % (naming.layers + 1));
  if (place->part == 1) return cut.joined({"down_blocks", level, "attentions", layer, attention_part(cut)});
  if (place->part != 0) return std::nullopt;
  if (cut.take("op")) return cut.joined({"down_blocks", level, "downsamplers.0.conv", cut.rest()});
  return cut.joined({"down_blocks", level, "resnets", layer, resnet_part(cut, naming.video)});
}

std::optional<std::string> output_block(PathCut cut, const UnetNaming& naming) {
  const auto place = take_place(cut);
  if (!place || place->part > 2) return std::nullopt;
  const auto level = std::to_string(place->block / (naming.layers + 1)), layer = std::to_string(place->block % (naming.layers + 1));
  if (place->part == 0) return cut.joined({"up_blocks", level, "resnets", layer, resnet_part(cut, naming.video)});
  if (cut.take("conv")) return cut.joined({"up_blocks", level, "upsamplers.0.conv", cut.rest()});
  if (place->part == 2) return std::nullopt;
  return cut.joined({"up_blocks", level, "attentions", layer, attention_part(cut)});
}

std::optional<std::string> middle_block(PathCut cut, const UnetNaming& naming) {
  const auto part = cut.take_number();
  if (!part || *part > 2) return std::nullopt;
  if (*part == 1) return cut.joined({"mid_block.attentions.0", attention_part(cut)});
  return cut.joined({*part == 0 ? "mid_block.resnets.0" : "mid_block.resnets.1", resnet_part(cut, naming.video)});
}

}  // namespace

std::optional<std::string> unet_name(std::string_view path, const UnetNaming& naming) {
  PathCut cut(path, naming.separator);
  if (cut.take("input_blocks")) return input_block(cut, naming);
  if (cut.take("middle_block")) return middle_block(cut, naming);
  if (cut.take("output_blocks")) return output_block(cut, naming);
  auto renamed = cut.renamed({{"time_embed.0", "time_embedding.linear_1"},
                              {"time_embed.2", "time_embedding.linear_2"},
                              {"label_emb.0.0", "add_embedding.linear_1"},
                              {"label_emb.0.2", "add_embedding.linear_2"},
                              {"out.0", "conv_norm_out"},
                              {"out.2", "conv_out"}});
  if (renamed == path) return std::nullopt;
  return renamed;
}

}  // namespace kinora::models::single_file
