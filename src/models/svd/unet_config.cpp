#include "models/svd/unet_config.hpp"

namespace kinora::models::svd {
namespace {

std::vector<bool> block_types(const nn::JsonConfig& c, const char* name, std::vector<std::string> fallback, const std::string& plain,
                              std::size_t levels) {
  const std::string attending = "CrossAttn" + plain;
  const std::string known = plain + ", " + attending;
  std::vector<bool> attention;
  for (const auto& type : c.texts(name, std::move(fallback))) {
    if (type != plain && type != attending) c.refuse(name, "holds \"" + type.substr(0, 64) + "\"; known: " + known);
    attention.push_back(type != plain);
  }
  if (attention.size() != levels) c.refuse(name, "must have as many elements as block_out_channels");
  return attention;
}

}  // namespace

UNetConfig UNetConfig::read(const nn::JsonConfig& c) {
  UNetConfig u;
  const std::string cross_down = "CrossAttnDownBlockSpatioTemporal", cross_up = "CrossAttnUpBlockSpatioTemporal";
  const bool sides = c.has("sample_size") && c.json().at("sample_size").is_array();
  u.sample_size = sides ? c.integers("sample_size", {}, 1, 1 << 16, 2).front() : c.integer("sample_size", 0, 1, 1 << 16);
  u.in_channels = c.integer("in_channels", 8, 1, 1 << 14);
  u.out_channels = c.integer("out_channels", 4, 1, 1 << 14);
  u.body.channels = c.integers("block_out_channels", {320, 640, 1280, 1280}, 1, 1 << 14);
  const std::size_t levels = u.body.channels.size();
  for (const auto channels : u.body.channels)
    if (channels % 32 != 0) c.refuse("block_out_channels", "must hold multiples of 32; " + std::to_string(channels));
  u.body.down_attention = block_types(c, "down_block_types", {cross_down, cross_down, cross_down, "DownBlockSpatioTemporal"},
                                      "DownBlockSpatioTemporal", levels);
  const auto up =
      block_types(c, "up_block_types", {"UpBlockSpatioTemporal", cross_up, cross_up, cross_up}, "UpBlockSpatioTemporal", levels);
  u.body.up_attention.assign(up.rbegin(), up.rend());
  u.body.layers = c.integers("layers_per_block", std::vector<std::int64_t>(levels, 2), 1, 16, levels);
  u.heads = c.integers("num_attention_heads", levels == 4 ? std::vector<std::int64_t>{5, 10, 20, 20} : std::vector<std::int64_t>{}, 1, 1024,
                       levels);
  if (u.heads.empty()) c.refuse("num_attention_heads", "is needed unless there are 4 blocks");
  for (std::size_t i = 0; i < levels; ++i)
    if (u.body.channels[i] % u.heads[i] != 0)
      c.refuse("num_attention_heads", "must divide the block's channels, " + std::to_string(u.body.channels[i]));
  u.context_width = c.integers("cross_attention_dim", std::vector<std::int64_t>(levels, 1024), 1, 1 << 16, levels);
  u.depth = c.integers("transformer_layers_per_block", std::vector<std::int64_t>(levels, 1), 1, 64, levels);
  u.size_width = c.integer("addition_time_embed_dim", 256, 1, 1 << 16);
  u.added_width = c.integer("projection_class_embeddings_input_dim", 768, 1, 1 << 16);
  u.num_frames = c.integer("num_frames", 25, 1, 1 << 14);
  return u;
}

}  // namespace kinora::models::svd
