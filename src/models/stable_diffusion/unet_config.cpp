#include "models/stable_diffusion/unet_config.hpp"

#include <algorithm>

namespace kinora::models::stable_diffusion {
namespace {

constexpr std::int64_t kMaxChannels = 1 << 14, kMaxWidth = 1 << 16, kMaxLayers = 16, kMaxDepth = 64;

// Members of other architectures of the same class: only the value that stands for "not there" is taken.
void refuse_variants(const nn::JsonConfig& c) {
  for (const auto* name : {"class_embed_type", "num_class_embeds", "encoder_hid_dim", "encoder_hid_dim_type", "time_embedding_act_fn",
                           "timestep_post_act", "cross_attention_norm", "num_attention_heads"})
    if (c.has(name)) c.refuse(name, "is not supported; must be null");
  for (const auto* name : {"dual_cross_attention", "class_embeddings_concat", "resnet_skip_time_act", "mid_block_only_cross_attention"})
    if (c.flag(name, false)) c.refuse(name, "is not supported; must be false");
  const auto only = c.json().value("only_cross_attention", nlohmann::json(false));
  if (only == true || (only.is_array() && std::find(only.begin(), only.end(), true) != only.end()))
    c.refuse("only_cross_attention", "is not supported; must be false");
  c.choice("attention_type", "default", {"default"});
  c.choice("time_embedding_type", "positional", {"positional"});
}

// true: with cross-attention.
std::vector<bool> block_types(const nn::JsonConfig& c, const char* name, std::vector<std::string> fallback, const char* plain,
                              const char* cross) {
  std::vector<bool> attention;
  for (const auto& type : c.texts(name, std::move(fallback))) {
    if (type != plain && type != cross) c.refuse(name, "holds \"" + type.substr(0, 64) + "\"; known: " + plain + ", " + cross);
    attention.push_back(type == cross);
  }
  return attention;
}

std::int64_t depth_of(const nn::JsonConfig& c, const char* name, const nlohmann::json& value) {
  if (!value.is_number_integer() || value < 1 || value > kMaxDepth) c.refuse(name, "must hold whole numbers from 1 to 64");
  return value.get<std::int64_t>();
}

// One number for all, one for each block, or in place of such a number a list with one for each of the block's layers.
std::vector<std::vector<std::int64_t>> depths(const nn::JsonConfig& c, const char* name, const std::vector<std::int64_t>& layers) {
  const nlohmann::json given = c.has(name) ? c.json().at(name) : nlohmann::json(1);
  if (given.is_array() && given.size() != layers.size()) c.refuse(name, "must be a number or a list with one element for each block");
  std::vector<std::vector<std::int64_t>> all;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& value = given.is_array() ? given[i] : given;
    std::vector<std::int64_t> block;
    for (std::size_t j = 0; j < static_cast<std::size_t>(layers[i]); ++j) {
      if (value.is_array() && value.size() != static_cast<std::size_t>(layers[i]))
        c.refuse(name, "must have one depth for each of a block's " + std::to_string(layers[i]) + " layers");
      block.push_back(depth_of(c, name, value.is_array() ? value[j] : value));
    }
    all.push_back(std::move(block));
  }
  return all;
}

void read_depths(const nn::JsonConfig& c, UNetConfig& u) {
  const char* const name = "transformer_layers_per_block";
  const char* const reversed_name = "reverse_transformer_layers_per_block";
  u.down_depth = depths(c, name, u.body.layers);
  u.mid_depth = u.down_depth.back().front();
  std::vector<std::int64_t> up_layers(u.body.layers.rbegin(), u.body.layers.rend());  // in the order of up_blocks
  for (auto& count : up_layers) ++count;
  if (c.has(reversed_name)) {
    u.up_depth = depths(c, reversed_name, up_layers);
    std::reverse(u.up_depth.begin(), u.up_depth.end());
    return;
  }
  for (std::size_t level = 0; level < u.body.layers.size(); ++level) {
    const auto& down = u.down_depth[level];
    if (std::any_of(down.begin(), down.end(), [&](auto depth) { return depth != down.front(); }))
      c.refuse(reversed_name, "is needed when a block's layers differ in depth");
    u.up_depth.emplace_back(down.size() + 1, down.front());
  }
}

void read_body(const nn::JsonConfig& c, UNetConfig& u) {
  auto& body = u.body;
  body.channels = c.integers("block_out_channels", {320, 640, 1280, 1280}, 1, kMaxChannels);
  const std::size_t levels = body.channels.size();
  body.down_attention =
      block_types(c, "down_block_types", {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"},
                  "DownBlock2D", "CrossAttnDownBlock2D");
  auto up = block_types(c, "up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}, "UpBlock2D",
                        "CrossAttnUpBlock2D");
  if (body.down_attention.size() != levels) c.refuse("down_block_types", "must have as many elements as block_out_channels");
  if (up.size() != levels) c.refuse("up_block_types", "must have as many elements as block_out_channels");
  body.up_attention.assign(up.rbegin(), up.rend());
  body.layers = c.integers("layers_per_block", std::vector<std::int64_t>(levels, 2), 1, kMaxLayers, levels);
  body.downsample_padding = c.integer("downsample_padding", 1, 0, 1);
  // A null stands for no middle at all, an absent member for the default.
  const bool no_mid = c.json().contains("mid_block_type") && c.json().at("mid_block_type").is_null();
  const auto mid = c.choice("mid_block_type", "UNetMidBlock2DCrossAttn", {"UNetMidBlock2DCrossAttn", "UNetMidBlock2D"});
  body.mid_layers = no_mid ? 0 : mid == "UNetMidBlock2D" ? 1 : 2;
}

void read_added(const nn::JsonConfig& c, UNetConfig& u) {
  u.text_time = c.has("addition_embed_type");
  if (!u.text_time) return;
  c.choice("addition_embed_type", "text_time", {"text_time"});
  u.size_width = c.integer("addition_time_embed_dim", 0, 1, kMaxWidth);
  u.added_width = c.integer("projection_class_embeddings_input_dim", 0, 1, kMaxWidth);
  if (u.size_width == 0) c.refuse("addition_time_embed_dim", "is needed with addition_embed_type text_time");
  if (u.added_width == 0) c.refuse("projection_class_embeddings_input_dim", "is needed with addition_embed_type text_time");
}

std::int64_t side(const nn::JsonConfig& c) {
  if (c.has("sample_size") && c.json().at("sample_size").is_array()) return c.integers("sample_size", {}, 1, 1 << 16, 2).front();
  return c.integer("sample_size", 0, 1, 1 << 16);
}

std::int64_t odd_kernel(const nn::JsonConfig& c, const char* name) {
  const auto kernel = c.integer(name, 3, 1, 15);
  if (kernel % 2 == 0) c.refuse(name, "must be odd");
  return kernel;
}

void check_divisible(const nn::JsonConfig& c, const UNetConfig& u) {
  for (std::size_t level = 0; level < u.heads.size(); ++level) {
    const auto channels = u.body.channels[level];
    if (channels % u.groups != 0) c.refuse("norm_num_groups", "must divide every one of block_out_channels; " + std::to_string(channels));
    if (channels < u.heads[level]) c.refuse("attention_head_dim", "(the number of heads) must not exceed a block's channels");
  }
}

}  // namespace

UNetConfig UNetConfig::read(const nn::JsonConfig& c) {
  refuse_variants(c);
  UNetConfig u;
  u.sample_size = side(c);
  u.in_channels = c.integer("in_channels", 4, 1, kMaxChannels);
  u.out_channels = c.integer("out_channels", 4, 1, kMaxChannels);
  u.center_input_sample = c.flag("center_input_sample", false);
  u.time_sinusoid = {.flip_sin_to_cos = c.flag("flip_sin_to_cos", true), .freq_shift = c.number("freq_shift", 0)};
  read_body(c, u);
  const std::size_t levels = u.body.channels.size();
  u.heads = c.integers("attention_head_dim", std::vector<std::int64_t>(levels, 8), 1, 1024, levels);
  u.context_width = c.integers("cross_attention_dim", std::vector<std::int64_t>(levels, 1280), 1, kMaxWidth, levels);
  read_depths(c, u);
  u.linear_projection = c.flag("use_linear_projection", false);
  u.groups = c.integer("norm_num_groups", 32, 1, kMaxChannels);
  u.eps = c.number("norm_eps", 1e-5);
  u.act = nn::activation(c.text("act_fn", "silu"), c.file(), "act_fn");
  u.time_scale_shift = c.choice("resnet_time_scale_shift", "default", {"default", "scale_shift"}) == "scale_shift";
  u.mid_scale = c.number("mid_block_scale_factor", 1);
  u.time_width = c.integer("time_embedding_dim", 4 * u.body.channels.front(), 1, kMaxWidth);
  u.guidance_width = c.integer("time_cond_proj_dim", 0, 1, kMaxWidth);
  read_added(c, u);
  u.conv_in_kernel = odd_kernel(c, "conv_in_kernel");
  u.conv_out_kernel = odd_kernel(c, "conv_out_kernel");
  check_divisible(c, u);
  return u;
}

}  // namespace kinora::models::stable_diffusion
