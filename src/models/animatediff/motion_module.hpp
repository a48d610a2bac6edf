#pragma once
// AnimateDiffTransformer3D: transformer blocks over the frames at each pixel, added to the frames.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "models/unet/attention.hpp"
#include "models/unet/feed_forward.hpp"
#include "nn/layers.hpp"

namespace kinora::models::animatediff {

struct MotionModuleConfig {
  std::int64_t channels = 0, heads = 8, depth = 1, groups = 32, max_frames = 32;
};

// x += attn1(norm1(x) + pe); x += attn2(norm2(x) + pe); x += ff(norm3(x)): both attentions among the frames.
struct MotionBlock {
  nn::LayerNorm norm1, norm2, norm3;
  unet::Attention attn1, attn2;
  unet::FeedForward ff;
  at::Tensor positions;  // "pos_embed.pe" [1, max_frames, channels]

  MotionBlock(const nn::Weights& w, const MotionModuleConfig& config);
  void operator()(const at::Tensor& x) const;  // [N, F, channels], in place
};

struct MotionModule {
  nn::GroupNorm norm;
  nn::Linear proj_in, proj_out;
  std::vector<MotionBlock> blocks;

  MotionModule(const nn::Weights& w, const MotionModuleConfig& config);
  // x [videos F, channels, H, W], F <= max_frames. A new tensor.
  at::Tensor operator()(const at::Tensor& x, std::int64_t videos) const;
};

}  // namespace kinora::models::animatediff
