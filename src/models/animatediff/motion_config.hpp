#pragma once
// config.json of a MotionAdapter (AnimateDiff).
#include <cstdint>
#include <vector>

#include "models/stable_diffusion/unet_config.hpp"
#include "nn/json_config.hpp"

namespace kinora::models::animatediff {

struct MotionConfig {
  std::vector<std::int64_t> channels, layers;  // by level
  std::vector<std::int64_t> heads;             // by level
  std::vector<std::int64_t> depth;             // transformer blocks, by level
  std::int64_t mid_depth = 1;
  std::int64_t max_frames = 32;
  bool mid_block = true;

  static MotionConfig read(const nn::JsonConfig& config);
};

// A UNet and the adapter that was trained for its like.
struct UNetMotionConfig {
  stable_diffusion::UNetConfig unet;
  MotionConfig motion;

  // Throws nn::LoadError when the two have different levels, channels or layers; file is the adapter's, for the message.
  static UNetMotionConfig join(const stable_diffusion::UNetConfig& unet, const MotionConfig& motion, const std::string& file);
};

}  // namespace kinora::models::animatediff
