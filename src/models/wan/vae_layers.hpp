#pragma once
// The layers of Wan's video VAE. A video passes in chunks of frames: first one frame, then any number at a time; what a convolution over
// time needs of earlier chunks is kept for it, so that the result does not depend on how the video is cut. Shapes [B, C, T, H, W].
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "nn/layers.hpp"
#include "nn/weights.hpp"

namespace kinora::models::wan {

// One video on its way through an encoder or decoder.
struct Passage {
  bool first = true;                                 // this is the first chunk: a single frame
  std::unordered_map<const void*, at::Tensor> kept;  // by layer: the last frames of its input
};

// The frames as pictures [B T, C, H, W], and back. Views in channels-last memory.
at::Tensor to_frames(const at::Tensor& x);
at::Tensor from_frames(const at::Tensor& pictures, std::int64_t batch);

// Sees no later frame. Kernel k x k x k (k 1 or 3), or 3 x 1 x 1.
class CausalConv3d {
 public:
  CausalConv3d() = default;
  CausalConv3d(const nn::Weights& w, std::int64_t in, std::int64_t out, const nn::Conv3d::Sides& kernel);
  at::Tensor operator()(const at::Tensor& x, Passage& passage) const;

 private:
  nn::Conv3d conv_;
};

// x / |x| over the channels, times sqrt(C) gamma; then SiLU in act().
class ChannelNorm {
 public:
  ChannelNorm() = default;
  ChannelNorm(const nn::Weights& w, std::int64_t channels, std::size_t spatial);  // spatial dimensions after C: 2 or 3
  at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor act(const at::Tensor& x) const { return nn::apply_in_place(nn::Act::silu, (*this)(x)); }

 private:
  at::Tensor gamma_;
};

class ResidualBlock {
 public:
  ResidualBlock(const nn::Weights& w, std::int64_t in, std::int64_t out);
  at::Tensor operator()(const at::Tensor& x, Passage& passage) const;

 private:
  ChannelNorm norm1_, norm2_;
  CausalConv3d conv1_, conv2_;
  std::optional<CausalConv3d> shortcut_;
};

// Self-attention with one head among the pixels of each frame.
class FrameAttention {
 public:
  FrameAttention(const nn::Weights& w, std::int64_t channels);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  ChannelNorm norm_;
  nn::Conv2d to_qkv_, proj_;
};

}  // namespace kinora::models::wan
