#pragma once
// The steps between the levels of Wan's video VAE: half or double the sides, and for some half or double the frames.
#include <ATen/core/Tensor.h>

#include <optional>

#include "models/wan/vae_layers.hpp"

namespace kinora::models::wan {

// Sides halved; with time every two frames become one, but the first chunk's stays.
class Downsample {
 public:
  Downsample(const nn::Weights& w, std::int64_t channels, bool time);
  at::Tensor operator()(const at::Tensor& x, Passage& passage) const;

 private:
  nn::Conv2d resample_;
  std::optional<nn::Conv3d> time_conv_;
};

// Sides doubled; with time every frame becomes two, but the first chunk's stays one.
class Upsample {
 public:
  Upsample(const nn::Weights& w, std::int64_t in, std::int64_t out, bool time);
  at::Tensor operator()(const at::Tensor& x, Passage& passage) const;

 private:
  nn::Conv2d resample_;
  std::optional<CausalConv3d> time_conv_;
};

// Of the residual variant (Wan 2.2), without weights: what goes past a level. Neighbours of time x side x side become channels, of which
// groups are averaged to out_channels; missing frames before the first are zero.
at::Tensor averaged_down(const at::Tensor& x, std::int64_t out_channels, std::int64_t time, std::int64_t side);
// Channels are repeated until there are out_channels x time x side x side, which become neighbours; the first chunk keeps its last frame.
at::Tensor repeated_up(const at::Tensor& x, std::int64_t out_channels, std::int64_t time, std::int64_t side, bool first);

}  // namespace kinora::models::wan
