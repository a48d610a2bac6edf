#pragma once
// The layers of LTX-Video's VAE. Shapes [B, C, T, H, W]; channels-last memory is fastest.
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "models/unet/timestep_embedding.hpp"
#include "nn/layers.hpp"
#include "nn/weights.hpp"

namespace kinora::models::ltx {

using Sides = nn::Conv3d::Sides;  // time, height, width

// Beyond the ends in time lie copies of the end frames: all before the first when causal, else on both sides; beyond the edges zeros.
struct CausalConv3d {
  nn::Conv3d conv;
  bool causal = true;
  CausalConv3d() = default;
  CausalConv3d(const nn::Weights& w, std::int64_t in, std::int64_t out, std::int64_t kernel, bool causal_, const Sides& stride = {1, 1, 1});
  at::Tensor operator()(const at::Tensor& x) const;
};

// Neighbours of time x height x width become channels, those of one channel together; and back.
at::Tensor space_to_channels(const at::Tensor& x, const Sides& sides);
at::Tensor channels_to_space(const at::Tensor& x, const Sides& sides);

// What the decoder is given beside the latents.
struct Conditions {
  at::Tensor time;                                          // [B], times timestep_scale_multiplier; undefined: not timed
  std::function<at::Tensor(at::IntArrayRef shape)> normal;  // unit noise for layers that add some
};

// Timesteps as shifts and scales of a stretch of layers: [B, width].
struct TimeEmbedder {
  std::optional<unet::TimestepEmbedding> embedding;
  TimeEmbedder() = default;
  TimeEmbedder(const nn::Weights& w, std::int64_t width);
  at::Tensor operator()(const Conditions& conditions, at::ScalarType dtype) const;  // undefined without embedding
};

struct ResnetSettings {
  std::int64_t in = 0, out = 0;
  double eps = 1e-6;
  bool causal = true, noise = false, timed = false;
};

class Resnet {
 public:
  Resnet(const nn::Weights& w, const ResnetSettings& settings);
  // time: [B, 4 in] or undefined.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& time, const Conditions& conditions) const;

 private:
  at::Tensor with_noise(const at::Tensor& x, const at::Tensor& scale, const Conditions& conditions) const;
  CausalConv3d conv1_, conv2_, shortcut_;
  nn::LayerNorm norm3_;           // over the channels, before the shortcut; without size: no shortcut
  at::Tensor noise1_, noise2_;    // [C, 1, 1]
  at::Tensor scale_shift_table_;  // [4, in]
};

// x / sqrt(mean over the channels of x^2 + 1e-8).
at::Tensor channel_norm(const at::Tensor& x);
// x (1 + scale) + shift; rows [B, n, C] + table [n, C], shift and scale at `at` and `at + 1`.
at::Tensor modulated(const at::Tensor& x, const at::Tensor& rows, std::int64_t at);

// To out channels with neighbours folded in; past it goes the mean over groups of the same folding of the input.
class Downsample {
 public:
  Downsample(const nn::Weights& w, std::int64_t in, std::int64_t out, const Sides& stride, bool causal);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Sides stride_;
  std::int64_t out_;
  CausalConv3d conv_;
};

// Sides and frames doubled (the first frame stays one), channels divided by `factor`; past it, if residual, goes the unfolded input,
// repeated.
class Upsample {
 public:
  Upsample(const nn::Weights& w, std::int64_t in, std::int64_t factor, bool residual, bool causal);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  std::int64_t factor_;
  bool residual_;
  CausalConv3d conv_;
};

}  // namespace kinora::models::ltx
