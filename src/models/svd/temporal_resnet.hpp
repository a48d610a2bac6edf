#pragma once
// SpatioTemporalResBlock: a resnet over each frame, then one over time at each pixel, mixed by a learned share.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "models/unet/resnet_block.hpp"
#include "nn/layers.hpp"

namespace kinora::models::svd {

// A convolution over time alone: weight [out, in, 3, 1, 1] on rows of frames [B, in, F, H W].
struct TemporalConv {
  at::Tensor weight, bias;
  TemporalConv(const nn::Weights& w, std::int64_t in, std::int64_t out);
  at::Tensor operator()(const at::Tensor& rows) const;
};

// TemporalResnetBlock without its own residual: conv2(act(norm2(conv1(act(norm1(v))) + time))) on rows of frames.
struct TemporalResnet {
  nn::GroupNorm norm1, norm2;
  TemporalConv conv1, conv2;
  nn::Linear time_emb_proj;  // without weight when there is no time

  TemporalResnet(const nn::Weights& w, std::int64_t channels, std::int64_t time, double eps);
  at::Tensor operator()(const at::Tensor& rows, const at::Tensor& time) const;
};

// y = a * spatial + (1 - a) * temporal with a = sigmoid(mix_factor); 1 - a for a where the model was trained with the shares exchanged.
struct TimeMixer {
  at::Tensor mix_factor;  // [1]
  bool exchanged = false;
  TimeMixer(const nn::Weights& w, bool exchanged_);
  at::Tensor temporal_share() const;  // [1], on the device
};

struct SpatioTemporalResnet {
  struct Config {
    unet::ResnetConfig spatial;  // time: width of the time embedding, 0: none
    double temporal_eps = 1e-5;
    bool exchanged_mix = false;
  };
  unet::ResnetBlock spatial;
  TemporalResnet temporal;
  TimeMixer time_mixer;

  SpatioTemporalResnet(const nn::Weights& w, const Config& config);
  // x [videos F, in, H, W]; time act(time embedding) [videos, width]. A new tensor [videos F, out, H, W].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& time, std::int64_t videos) const;
};

}  // namespace kinora::models::svd
