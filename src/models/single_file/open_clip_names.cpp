#include "models/single_file/open_clip_names.hpp"

#include <algorithm>

#include "models/single_file/path_cut.hpp"
#include "nn/load_error.hpp"

namespace kinora::models::single_file {
namespace {

std::vector<ClipPart> whole(std::string name) { return {{.name = std::move(name)}}; }

// How a library names the parts of a layer: of "all" three projections in one ("attn.in_proj_" weight), and the others.
struct LayerNames {
  std::string_view all;
  std::initializer_list<Rename> others;
};
constexpr std::initializer_list<Rename> kOpenClipOthers{{"ln_1", "layer_norm1"},
                                                        {"ln_2", "layer_norm2"},
                                                        {"mlp.c_fc", "mlp.fc1"},
                                                        {"mlp.c_proj", "mlp.fc2"},
                                                        {"attn.out_proj", "self_attn.out_proj"}};
constexpr std::initializer_list<Rename> kWanOthers{
    {"norm1", "layer_norm1"}, {"norm2", "layer_norm2"}, {"mlp.0", "mlp.fc1"}, {"mlp.2", "mlp.fc2"}, {"attn.proj", "self_attn.out_proj"}};
constexpr LayerNames kOpenClip{.all = "attn.in_proj_", .others = kOpenClipOthers}, kWan{.all = "attn.to_qkv.", .others = kWanOthers};

std::vector<ClipPart> layer(PathCut cut, std::string_view tower, const LayerNames& names) {
  const auto index = cut.take_number();
  if (!index) return {};
  const auto named = [&](std::string_view part) { return cut.joined({tower, "encoder.layers", std::to_string(*index), part}); };
  for (const std::string_view kind : {"weight", "bias"}) {
    if (cut.rest() != std::string(names.all).append(kind)) continue;
    std::vector<ClipPart> parts;
    for (const std::string_view projection : {"q_proj", "k_proj", "v_proj"})
      parts.push_back(
          {.name = named("self_attn." + std::string(projection) + "." + std::string(kind)), .third = static_cast<int>(parts.size())});
    return parts;
  }
  auto renamed = cut.renamed(names.others);
  return renamed == cut.rest() ? std::vector<ClipPart>{} : whole(named(renamed));
}

nn::StoredTensor third_of(nn::StoredTensor whole, int third, const std::string& file, const std::string& name) {
  if (whole.shape.empty() || whole.shape[0] % 3 != 0) throw nn::LoadError(file, name, "does not hold query, key and value of one size");
  whole.shape[0] /= 3;
  whole.packed = {};
  whole.read = [read = std::move(whole.read), third, rows = whole.shape[0]] { return read().narrow(0, third * rows, rows); };
  return whole;
}

nn::StoredTensor transposed(nn::StoredTensor whole, const std::string& file, const std::string& name) {
  if (whole.shape.size() != 2) throw nn::LoadError(file, name, "must have 2 dimensions");
  std::swap(whole.shape[0], whole.shape[1]);
  whole.packed = {};
  whole.read = [read = std::move(whole.read)] { return read().t().contiguous(); };
  return whole;
}

}  // namespace

std::vector<ClipPart> open_clip_text_parts(std::string_view path) {
  PathCut cut(path, '.');
  if (cut.take("transformer.resblocks")) return layer(cut, "text_model", kOpenClip);
  if (path == "text_projection") return {{.name = "text_projection.weight", .transposed = true}};
  if (path == "positional_embedding") return whole("text_model.embeddings.position_embedding.weight");
  if (path == "token_embedding.weight") return whole("text_model.embeddings.token_embedding.weight");
  if (cut.take("ln_final")) return whole(cut.joined({"text_model.final_layer_norm", cut.rest()}));
  return {};
}

std::vector<ClipPart> open_clip_vision_parts(std::string_view path) {
  PathCut cut(path, '.');
  if (cut.take("transformer.resblocks")) return layer(cut, "vision_model", kOpenClip);
  if (path == "proj") return {{.name = "visual_projection.weight", .transposed = true}};
  if (path == "class_embedding") return whole("vision_model.embeddings.class_embedding");
  if (path == "positional_embedding") return whole("vision_model.embeddings.position_embedding.weight");
  if (path == "conv1.weight") return whole("vision_model.embeddings.patch_embedding.weight");
  if (cut.take("ln_pre")) return whole(cut.joined({"vision_model.pre_layrnorm", cut.rest()}));  // transformers' spelling
  if (cut.take("ln_post")) return whole(cut.joined({"vision_model.post_layernorm", cut.rest()}));
  return {};
}

std::vector<ClipPart> wan_clip_vision_parts(std::string_view path) {
  PathCut cut(path, '.');
  if (cut.take("transformer")) return layer(cut, "vision_model", kWan);
  if (path == "head") return {{.name = "visual_projection.weight", .transposed = true}};
  if (path == "cls_embedding") return {{.name = "vision_model.embeddings.class_embedding", .dims = 1}};
  if (path == "pos_embedding") return {{.name = "vision_model.embeddings.position_embedding.weight", .dims = 2}};
  if (path == "patch_embedding.weight") return whole("vision_model.embeddings.patch_embedding.weight");
  if (cut.take("pre_norm")) return whole(cut.joined({"vision_model.pre_layrnorm", cut.rest()}));
  if (cut.take("post_norm")) return whole(cut.joined({"vision_model.post_layernorm", cut.rest()}));
  return {};
}

nn::StoredTensor taken(nn::StoredTensor whole, const ClipPart& part, const std::string& file, const std::string& name) {
  if (part.third >= 0) whole = third_of(std::move(whole), part.third, file, name);
  if (part.transposed) whole = transposed(std::move(whole), file, name);
  const auto extra = whole.shape.size() - std::min(whole.shape.size(), part.dims == 0 ? whole.shape.size() : part.dims);
  if (extra == 0) return whole;
  for (std::size_t i = 0; i < extra; ++i)
    if (whole.shape[i] != 1)
      throw nn::LoadError(file, name, "must have " + std::to_string(part.dims) + " sides, and before them only sides of 1");
  whole.shape.erase(whole.shape.begin(), whole.shape.begin() + static_cast<std::ptrdiff_t>(extra));
  whole.packed = {};
  whole.read = [read = std::move(whole.read), shape = whole.shape] { return read().view(shape); };
  return whole;
}

}  // namespace kinora::models::single_file
