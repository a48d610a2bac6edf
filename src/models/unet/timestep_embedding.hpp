#pragma once
// Timesteps and other numbers as vectors: sinusoids, then a small network.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/layers.hpp"

namespace kinora::models::unet {

struct Sinusoid {
  bool flip_sin_to_cos = true;
  double freq_shift = 0;
};

// values [N] of any type -> [N, size] float32: for i < h = size / 2 the frequencies exp(-ln(10000) i / (h - shift)), all cosines then
// all sines of value * frequency (sines first without flip_sin_to_cos); an odd size ends with a zero.
at::Tensor sinusoidal_embedding(const at::Tensor& values, std::int64_t size, const Sinusoid& form = {});

// [N, in] -> linear_1 -> act -> linear_2 -> [N, out]. A guidance embedding [N, condition] may be added to the input through cond_proj.
struct TimestepEmbedding {
  nn::Linear linear_1, linear_2;
  nn::Linear cond_proj;  // without weight when condition is 0
  nn::Act act = nn::Act::silu;

  TimestepEmbedding(const nn::Weights& w, std::int64_t in, std::int64_t hidden, std::int64_t out, nn::Act act_ = nn::Act::silu,
                    std::int64_t condition = 0);
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& condition = {}) const;
  at::ScalarType dtype() const { return linear_1.bias.scalar_type(); }
};

}  // namespace kinora::models::unet
