#pragma once
// ResnetBlock2D: y = (shortcut(x) + conv2(act(norm2(conv1(act(norm1(x))) + time)))) / output_scale.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "nn/layers.hpp"

namespace kinora::models::unet {

struct ResnetConfig {
  std::int64_t in = 0, out = 0;
  std::int64_t time = 0;  // width of the time embedding; 0: none
  std::int64_t groups = 32;
  double eps = 1e-5;
  nn::Act act = nn::Act::silu;
  bool scale_shift = false;  // the time scales and shifts norm2's output instead of being added before it
  double output_scale = 1;
};

struct ResnetBlock {
  ResnetConfig config;
  nn::GroupNorm norm1, norm2;
  nn::Conv2d conv1, conv2;
  nn::Linear time_emb_proj;                 // without weight when config.time is 0
  std::optional<nn::Conv2d> conv_shortcut;  // where in != out

  ResnetBlock(const nn::Weights& w, const ResnetConfig& config_);
  // x [B, in, H, W]; time: act(time embedding) [T, time], each row for B / T consecutive pictures. A new tensor [B, out, H, W].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& time = {}) const;
};

}  // namespace kinora::models::unet
