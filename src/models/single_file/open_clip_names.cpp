#include "models/single_file/open_clip_names.hpp"

#include "models/single_file/path_cut.hpp"

namespace kinora::models::single_file {
namespace {

std::vector<ClipPart> whole(std::string name) { return {{.name = std::move(name)}}; }

std::vector<ClipPart> layer(PathCut cut, std::string_view tower) {
  const auto index = cut.take_number();
  if (!index) return {};
  const auto named = [&](std::string_view part) { return cut.joined({tower, "encoder.layers", std::to_string(*index), part}); };
  for (const std::string_view kind : {"weight", "bias"}) {
    if (cut.rest() != "attn.in_proj_" + std::string(kind)) continue;
    std::vector<ClipPart> parts;
    for (const std::string_view projection : {"q_proj", "k_proj", "v_proj"})
      parts.push_back(
          {.name = named("self_attn." + std::string(projection) + "." + std::string(kind)), .third = static_cast<int>(parts.size())});
    return parts;
  }
  auto renamed = cut.renamed({{"ln_1", "layer_norm1"},
                              {"ln_2", "layer_norm2"},
                              {"mlp.c_fc", "mlp.fc1"},
                              {"mlp.c_proj", "mlp.fc2"},
                              {"attn.out_proj", "self_attn.out_proj"}});
  return renamed == cut.rest() ? std::vector<ClipPart>{} : whole(named(renamed));
}

}  // namespace

std::vector<ClipPart> open_clip_text_parts(std::string_view path) {
  PathCut cut(path, '.');
  if (cut.take("transformer.resblocks")) return layer(cut, "text_model");
  if (path == "text_projection") return {{.name = "text_projection.weight", .transposed = true}};
  if (path == "positional_embedding") return whole("text_model.embeddings.position_embedding.weight");
  if (path == "token_embedding.weight") return whole("text_model.embeddings.token_embedding.weight");
  if (cut.take("ln_final")) return whole(cut.joined({"text_model.final_layer_norm", cut.rest()}));
  return {};
}

std::vector<ClipPart> open_clip_vision_parts(std::string_view path) {
  PathCut cut(path, '.');
  if (cut.take("transformer.resblocks")) return layer(cut, "vision_model");
  if (path == "proj") return {{.name = "visual_projection.weight", .transposed = true}};
  if (path == "class_embedding") return whole("vision_model.embeddings.class_embedding");
  if (path == "positional_embedding") return whole("vision_model.embeddings.position_embedding.weight");
  if (path == "conv1.weight") return whole("vision_model.embeddings.patch_embedding.weight");
  if (cut.take("ln_pre")) return whole(cut.joined({"vision_model.pre_layrnorm", cut.rest()}));  // transformers' spelling
  if (cut.take("ln_post")) return whole(cut.joined({"vision_model.post_layernorm", cut.rest()}));
  return {};
}

}  // namespace kinora::models::single_file
