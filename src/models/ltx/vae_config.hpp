#pragma once
// config.json of AutoencoderKLLTXVideo, versions 0.9.0, 0.9.1 and 0.9.5.
#include <cstdint>
#include <vector>

#include "nn/json_config.hpp"

namespace kinora::models::ltx {

// How a level's end makes the next one smaller.
enum class Down { none, strided, spatial, temporal, spatiotemporal };

struct VaeConfig {
  std::int64_t in_channels = 3, out_channels = 3, latent_channels = 128, patch = 4;
  struct EncoderLevel {
    std::int64_t in = 0, out = 0, layers = 0;
    Down down = Down::none;
  };
  std::vector<EncoderLevel> encoder;
  std::int64_t encoder_mid_layers = 0;
  struct DecoderLevel {
    std::int64_t in = 0, out = 0, layers = 0;
    bool up = false, noise = false, residual = false;
    std::int64_t factor = 1;  // by which the step up reduces the channels
  };
  std::vector<DecoderLevel> decoder;  // from the latents on
  std::int64_t decoder_in = 0, decoder_mid_layers = 0;
  bool decoder_mid_noise = false;
  bool timed = false;  // the decoder is told how noisy the latents are
  bool encoder_causal = true, decoder_causal = false;
  double eps = 1e-6, scaling_factor = 1;
  std::int64_t factor = 32, time_factor = 8;  // pixels of a side, frames, in one latent

  static VaeConfig read(const nn::JsonConfig& config);
};

}  // namespace kinora::models::ltx
