#pragma once
// What the transformers of Wan and LTX-Video share: tokens of a video turned by their position, norms over all heads together, and what the
// step's time does to a block.
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/weights.hpp"

namespace kinora::models::video {

// x [..., D] of any floating type; neighbouring values are complex numbers that `table`, complex64 and broadcast over x as [..., D / 2],
// turns. In float32, given back in x's type.
at::Tensor turned(const at::Tensor& x, const at::Tensor& table);

// x / sqrt(mean(x^2) + eps) over dimension `dim`, float32.
at::Tensor unit_scaled(const at::Tensor& x, double eps, std::int64_t dim = -1);

// unit_scaled times a weight over the last dimension, in x's type.
struct HeadsNorm {
  at::Tensor weight;
  double eps = 1e-6;
  HeadsNorm() = default;
  HeadsNorm(const nn::Weights& w, std::int64_t size, double eps_) : weight(w.take("weight", {size})), eps(eps_) {}
  at::Tensor operator()(const at::Tensor& x) const { return unit_scaled(x, eps).mul(weight).to(x.scalar_type()); }
};

// What a prompt (and a picture) is to one block: it does not depend on the step, so it is computed once.
struct KeysValues {
  at::Tensor keys, values;              // of the text (and of picture tokens that have none of their own) [B, heads, S, head width]
  at::Tensor bias;                      // added to the scores, [B, 1, 1, S]; undefined: none
  at::Tensor image_keys, image_values;  // [B, heads, S', head width]; undefined: none
};

// What the distinct timesteps of a forward pass say, and which token has which.
struct Times {
  at::Tensor embedding;   // [U, width]
  at::Tensor modulation;  // [U, 6, width] float32
  at::Tensor of_token;    // [B N] int64: row of each token; undefined: row i is for all tokens of video i, or row 0 for all
  // rows [U, width] -> what broadcasts over tokens [B, N, width].
  at::Tensor spread(const at::Tensor& rows, std::int64_t batch) const;
};

// timestep [], [1], [B], or [B, N] for each token -> the distinct values [U], and of_token set where there are several for one video.
// Few are distinct, however many tokens there are: those of a given picture have 0, the others the step's.
at::Tensor distinct_times(const at::Tensor& timestep, Times& times);

// LN(x) (1 + scale) + shift in float32, in x's type. shift, scale as Times::spread gives them.
at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, double eps);
// x + gate y, in float32, in x's type.
at::Tensor gated_sum(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate);

}  // namespace kinora::models::video
