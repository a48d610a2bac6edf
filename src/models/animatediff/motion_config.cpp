#include "models/animatediff/motion_config.hpp"

#include "nn/load_error.hpp"

namespace kinora::models::animatediff {

MotionConfig MotionConfig::read(const nn::JsonConfig& c) {
  MotionConfig m;
  m.channels = c.integers("block_out_channels", {320, 640, 1280, 1280}, 1, 1 << 14);
  const std::size_t levels = m.channels.size();
  m.layers = c.integers("motion_layers_per_block", std::vector<std::int64_t>(levels, 2), 1, 16, levels);
  m.heads = c.integers("motion_num_attention_heads", std::vector<std::int64_t>(levels, 8), 1, 1024, levels);
  m.depth = c.integers("motion_transformer_layers_per_block", std::vector<std::int64_t>(levels, 1), 1, 64, levels);
  c.integer("motion_mid_block_layers_per_block", 1, 1, 1);
  m.mid_depth = c.integers("motion_transformer_layers_per_mid_block", {1}, 1, 64, 1).front();
  m.max_frames = c.integer("motion_max_seq_length", 32, 1, 1 << 14);
  m.mid_block = c.flag("use_motion_mid_block", true);
  if (c.has("conv_in_channels")) c.refuse("conv_in_channels", "is not supported; must be null");
  for (std::size_t i = 0; i < levels; ++i)
    if (m.channels[i] % m.heads[i] != 0)
      c.refuse("motion_num_attention_heads", "must divide the block's channels, " + std::to_string(m.channels[i]));
  return m;
}

UNetMotionConfig UNetMotionConfig::join(const stable_diffusion::UNetConfig& unet, const MotionConfig& motion, const std::string& file) {
  if (motion.channels != unet.body.channels)
    throw nn::LoadError(file, "block_out_channels", "differs from the UNet's: made for another model");
  if (motion.layers != unet.body.layers) throw nn::LoadError(file, "motion_layers_per_block", "differs from the UNet's layers_per_block");
  return {unet, motion};
}

}  // namespace kinora::models::animatediff
