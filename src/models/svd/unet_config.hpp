#pragma once
// config.json of a UNetSpatioTemporalConditionModel (Stable Video Diffusion).
#include <cstdint>
#include <vector>

#include "models/unet/body.hpp"
#include "nn/json_config.hpp"

namespace kinora::models::svd {

struct UNetConfig {
  std::int64_t sample_size = 0;  // side of the latents it was trained for; 0: not said
  std::int64_t in_channels = 8, out_channels = 4;
  unet::BodyPlan body;
  std::vector<std::int64_t> heads, context_width;    // by level
  std::vector<std::int64_t> depth;                   // transformer blocks, by level
  std::int64_t size_width = 256, added_width = 768;  // of each added time id, of all together
  std::int64_t num_frames = 25;                      // it was trained for

  static UNetConfig read(const nn::JsonConfig& config);
  std::int64_t time_width() const { return 4 * body.channels.front(); }
};

}  // namespace kinora::models::svd
