#include "models/stable_diffusion/vae_config.hpp"

#include <ATen/ops/tensor.h>

namespace kinora::models::stable_diffusion {
namespace {

void expect_blocks(const nn::JsonConfig& c, const char* name, std::string_view type, std::size_t levels) {
  const auto types = c.texts(name, std::vector<std::string>(levels, std::string(type)));
  if (types.size() != levels) c.refuse(name, "must have as many elements as block_out_channels");
  for (const auto& one : types)
    if (one != type) c.refuse(name, "holds \"" + one.substr(0, 64) + "\"; known: " + std::string(type));
}

at::Tensor per_channel(const std::vector<double>& values, const at::Tensor& like) {
  return at::tensor(values, like.options().device(c10::kCPU)).to(like.device()).view({1, -1, 1, 1});
}

}  // namespace

VaeConfig VaeConfig::read(const nn::JsonConfig& c) {
  VaeConfig v;
  v.in_channels = c.integer("in_channels", 3, 1, 1024);
  v.out_channels = c.integer("out_channels", 3, 1, 1024);
  v.latent_channels = c.integer("latent_channels", 4, 1, 1024);
  v.channels = c.integers("block_out_channels", {64}, 1, 1 << 14);
  if (v.channels.size() > 8) c.refuse("block_out_channels", "must have at most 8 elements");
  expect_blocks(c, "down_block_types", "DownEncoderBlock2D", v.channels.size());
  expect_blocks(c, "up_block_types", "UpDecoderBlock2D", v.channels.size());
  v.layers = c.integer("layers_per_block", 1, 1, 16);
  v.groups = c.integer("norm_num_groups", 32, 1, 1 << 14);
  for (const auto channels : v.channels)
    if (channels % v.groups != 0) c.refuse("norm_num_groups", "must divide every one of block_out_channels; " + std::to_string(channels));
  v.act = nn::activation(c.text("act_fn", "silu"), c.file(), "act_fn");
  v.mid_attention = c.flag("mid_block_add_attention", true);
  v.quant_conv = c.flag("use_quant_conv", true);
  v.post_quant_conv = c.flag("use_post_quant_conv", true);
  const bool sides = c.has("sample_size") && c.json().at("sample_size").is_array();
  v.sample_size = sides ? c.integers("sample_size", {}, 1, 1 << 16, 2).front() : c.integer("sample_size", 32, 1, 1 << 16);
  if (v.sample_size < v.factor()) c.refuse("sample_size", "must be at least one latent, " + std::to_string(v.factor()));
  v.scaling_factor = c.number("scaling_factor", 0.18215);
  if (v.scaling_factor == 0) c.refuse("scaling_factor", "must not be 0");
  v.shift_factor = c.number("shift_factor", 0);
  v.latents_mean = c.numbers("latents_mean", {});
  v.latents_std = c.numbers("latents_std", {});
  if (v.latents_mean.size() != v.latents_std.size()) c.refuse("latents_std", "must have as many elements as latents_mean");
  if (!v.latents_mean.empty() && v.latents_mean.size() != static_cast<std::size_t>(v.latent_channels))
    c.refuse("latents_mean", "must have latent_channels elements");
  for (const double deviation : v.latents_std)
    if (deviation <= 0) c.refuse("latents_std", "must be above 0");
  v.force_upcast = c.flag("force_upcast", true);
  return v;
}

at::Tensor VaeConfig::to_denoiser(const at::Tensor& z) const {
  if (latents_mean.empty()) return z.sub(shift_factor).mul(scaling_factor);
  return z.sub(per_channel(latents_mean, z)).mul(scaling_factor).div(per_channel(latents_std, z));
}

at::Tensor VaeConfig::from_denoiser(const at::Tensor& z) const {
  if (latents_mean.empty()) return z.div(scaling_factor).add(shift_factor);
  return z.mul(per_channel(latents_std, z)).div(scaling_factor).add(per_channel(latents_mean, z));
}

}  // namespace kinora::models::stable_diffusion
