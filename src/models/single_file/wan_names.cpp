#include "models/single_file/wan_names.hpp"

#include "models/single_file/path_cut.hpp"

namespace kinora::models::single_file {
namespace {

// The norms change places: norm3, the one with weights before the cross-attention, is diffusers' norm2.
std::string block_part(const PathCut& cut) {
  return cut.renamed({{"self_attn.q", "attn1.to_q"},
                      {"self_attn.k", "attn1.to_k"},
                      {"self_attn.v", "attn1.to_v"},
                      {"self_attn.o", "attn1.to_out.0"},
                      {"self_attn", "attn1"},
                      {"cross_attn.k_img", "attn2.add_k_proj"},
                      {"cross_attn.v_img", "attn2.add_v_proj"},
                      {"cross_attn.norm_k_img", "attn2.norm_added_k"},
                      {"cross_attn.q", "attn2.to_q"},
                      {"cross_attn.k", "attn2.to_k"},
                      {"cross_attn.v", "attn2.to_v"},
                      {"cross_attn.o", "attn2.to_out.0"},
                      {"cross_attn", "attn2"},
                      {"ffn.0", "ffn.net.0.proj"},
                      {"ffn.2", "ffn.net.2"},
                      {"modulation", "scale_shift_table"},
                      {"norm2", "norm3"},
                      {"norm3", "norm2"}});
}

}  // namespace

std::optional<std::string> wan_name(std::string_view path, char separator) {
  PathCut cut(path, separator);
  if (cut.take("blocks")) {
    const auto index = cut.take_number();
    if (!index) return std::nullopt;
    return cut.joined({"blocks", std::to_string(*index), block_part(cut)});
  }
  if (cut.rest().starts_with("patch_embedding")) return std::string(path);
  auto renamed = cut.renamed({{"time_embedding.0", "condition_embedder.time_embedder.linear_1"},
                              {"time_embedding.2", "condition_embedder.time_embedder.linear_2"},
                              {"text_embedding.0", "condition_embedder.text_embedder.linear_1"},
                              {"text_embedding.2", "condition_embedder.text_embedder.linear_2"},
                              {"time_projection.1", "condition_embedder.time_proj"},
                              {"img_emb.proj.0", "condition_embedder.image_embedder.norm1"},
                              {"img_emb.proj.1", "condition_embedder.image_embedder.ff.net.0.proj"},
                              {"img_emb.proj.3", "condition_embedder.image_embedder.ff.net.2"},
                              {"img_emb.proj.4", "condition_embedder.image_embedder.norm2"},
                              {"img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed"},
                              {"head.modulation", "scale_shift_table"},
                              {"head.head", "proj_out"}});
  if (renamed == path) return std::nullopt;
  return renamed;
}

}  // namespace kinora::models::single_file
