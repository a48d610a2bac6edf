#pragma once
// What a Wan model can do, told by its configurations.
#include <cstdint>

#include "models/model_files.hpp"
#include "models/pipeline.hpp"
#include "models/wan/transformer_config.hpp"
#include "models/wan/vae_config.hpp"

namespace kinora::models::wan {

struct Layout {
  TransformerConfig transformer;  // of the first expert
  VaeConfig vae;
  bool picture_channels = false;     // the latents of given frames and their mask come beside the noise (image-to-video of 2.1, 2.2 A14B)
  bool expand_timesteps = false;     // a given first frame takes the noise's place, with a timestep of 0 (2.2 TI2V)
  std::int64_t prompt_tokens = 512;  // that a prompt is cut or filled to
  double boundary = -1;              // 0..1 of the timesteps: from there down the second expert works; negative: there is one
};

// Throws nn::LoadError when transformer and VAE do not go together.
Layout read_layout(const ModelFiles& files);
PipelineInfo describe(const ModelFiles& files);

}  // namespace kinora::models::wan
