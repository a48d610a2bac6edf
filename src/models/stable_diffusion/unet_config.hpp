#pragma once
// config.json of a UNet2DConditionModel (SD 1.x, 2.x, SDXL and what has been made of them).
#include <cstdint>
#include <vector>

#include "models/unet/body.hpp"
#include "models/unet/timestep_embedding.hpp"
#include "nn/json_config.hpp"
#include "nn/layers.hpp"

namespace kinora::models::stable_diffusion {

struct UNetConfig {
  std::int64_t sample_size = 0;  // side of the latents it was trained for; 0: not said
  std::int64_t in_channels = 4, out_channels = 4;
  bool center_input_sample = false;  // 2 x - 1 first
  unet::Sinusoid time_sinusoid;
  unet::BodyPlan body;
  std::vector<std::int64_t> heads, context_width;               // by level. "attention_head_dim" is the number of heads
  std::vector<std::vector<std::int64_t>> down_depth, up_depth;  // transformer blocks, by level (from full size down) and layer
  std::int64_t mid_depth = 1;
  bool linear_projection = false;
  std::int64_t groups = 32;
  double eps = 1e-5;
  nn::Act act = nn::Act::silu;
  bool time_scale_shift = false;
  double mid_scale = 1;
  std::int64_t time_width = 0;      // 4 channels[0] unless given
  std::int64_t guidance_width = 0;  // time_cond_proj_dim: of LCM's guidance embedding; 0: none
  bool text_time = false;           // SDXL: pooled text and sizes join the time embedding
  std::int64_t size_width = 0;      // addition_time_embed_dim: of each of the sizes
  std::int64_t added_width = 0;     // projection_class_embeddings_input_dim: of pooled text and all sizes together
  std::int64_t conv_in_kernel = 3, conv_out_kernel = 3;

  // Throws nn::LoadError for members out of range and for architectures that are not built (class embeddings, image projections ...).
  static UNetConfig read(const nn::JsonConfig& config);
};

}  // namespace kinora::models::stable_diffusion
