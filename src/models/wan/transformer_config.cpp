#include "models/wan/transformer_config.hpp"

namespace kinora::models::wan {

TransformerConfig TransformerConfig::read(const nn::JsonConfig& c) {
  constexpr std::int64_t kWidest = 1 << 16;
  TransformerConfig t;
  const auto patch = c.integers("patch_size", {1, 2, 2}, 1, 16, 3);
  t.patch = {patch[0], patch[1], patch[2]};
  t.heads = c.integer("num_attention_heads", 40, 1, 1024);
  t.head_width = c.integer("attention_head_dim", 128, 2, 1024);
  if (t.head_width % 2 != 0) c.refuse("attention_head_dim", "must be even: positions turn pairs of values");
  t.in_channels = c.integer("in_channels", 16, 1, 1024);
  t.out_channels = c.integer("out_channels", t.in_channels, 1, 1024);
  t.text_width = c.integer("text_dim", 512, 1, kWidest);
  t.frequency_width = c.integer("freq_dim", 256, 2, kWidest);
  t.ffn_width = c.integer("ffn_dim", 13824, 1, 1 << 18);
  t.layers = c.integer("num_layers", 40, 1, 256);
  t.cross_attention_norm = c.flag("cross_attn_norm", true);
  c.choice("qk_norm", "rms_norm_across_heads", {"rms_norm_across_heads"});
  t.eps = c.number("eps", 1e-6);
  if (t.eps < 0 || t.eps > 1) c.refuse("eps", "must lie between 0 and 1");
  t.image_width = c.integer("image_dim", 0, 0, kWidest);
  t.added_kv_width = c.integer("added_kv_proj_dim", 0, 0, kWidest);
  if (t.added_kv_width > 0 && t.added_kv_width != t.width())
    c.refuse("added_kv_proj_dim", "must be num_attention_heads x attention_head_dim, " + std::to_string(t.width()));
  t.image_positions = c.integer("pos_embed_seq_len", 0, 0, kWidest);
  t.max_positions = c.integer("rope_max_seq_len", 1024, 1, 1 << 20);
  return t;
}

}  // namespace kinora::models::wan
