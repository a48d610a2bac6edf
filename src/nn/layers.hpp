#pragma once
// The elementary layers of the networks: each is its weights, taken from a scope of the checkpoint, and one call. Names, shapes and
// formulas are PyTorch's torch.nn. All are immutable, any thread; x and weights share device and dtype.
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "nn/weights.hpp"

namespace kinora::nn {

enum class Bias : bool { no, yes };

// y = x W^T + b over the last dimension; weight [out, in]. A weight that a GGUF file holds in blocks stays so (gguf/packed.hpp), and
// becomes numbers of x's type for the time of a call.
struct Linear {
  at::Tensor weight, bias;
  Linear() = default;
  Linear(const Weights& w, std::int64_t in, std::int64_t out, Bias with_bias = Bias::yes);
  at::Tensor operator()(const at::Tensor& x) const;
};

// [B, in, H, W] -> [B, out, H', W']; weight [out, in, k, k].
struct Conv2d {
  at::Tensor weight, bias;
  std::int64_t stride = 1, padding = 0;
  Conv2d() = default;
  Conv2d(const Weights& w, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride_ = 1, std::int64_t padding_ = 0,
         Bias with_bias = Bias::yes);
  at::Tensor operator()(const at::Tensor& x) const;
};

// [B, in, T, H, W]; weight [out, in, kt, kh, kw].
struct Conv3d {
  using Sides = std::array<std::int64_t, 3>;  // time, height, width
  at::Tensor weight, bias;
  Sides stride{1, 1, 1}, padding{0, 0, 0};
  Conv3d() = default;
  Conv3d(const Weights& w, std::int64_t in, std::int64_t out, Sides kernel, Sides stride_ = {1, 1, 1}, Sides padding_ = {0, 0, 0},
         Bias with_bias = Bias::yes);
  at::Tensor operator()(const at::Tensor& x) const;
};

// Over `groups` groups of dimension 1 of [B, C, ...].
struct GroupNorm {
  at::Tensor weight, bias;
  std::int64_t groups = 32;
  double eps = 1e-5;
  GroupNorm() = default;
  GroupNorm(const Weights& w, std::int64_t groups_, std::int64_t channels, double eps_);
  at::Tensor operator()(const at::Tensor& x) const;
};

// Over the last dimension. affine: with weight and bias.
struct LayerNorm {
  at::Tensor weight, bias;  // undefined without affine
  std::int64_t size = 0;
  double eps = 1e-5;
  LayerNorm() = default;
  LayerNorm(const Weights& w, std::int64_t size_, double eps_ = 1e-5, bool affine = true);
  at::Tensor operator()(const at::Tensor& x) const;
};

// x / sqrt(mean(x^2) + eps) * weight over the last dimension, computed in float32 as the reference does for 16-bit inputs.
struct RmsNorm {
  at::Tensor weight;  // undefined: no scale
  double eps = 1e-6;
  RmsNorm() = default;
  RmsNorm(const Weights& w, std::int64_t size, double eps_, bool affine = true);
  at::Tensor operator()(const at::Tensor& x) const;
};

// ids [..] int64 -> [.., size]; float32 where the weight is kept in the blocks of a GGUF file.
struct Embedding {
  at::Tensor weight;
  Embedding() = default;
  Embedding(const Weights& w, std::int64_t count, std::int64_t size);
  at::Tensor operator()(const at::Tensor& ids) const;
};

// As the configurations name them; gelu_tanh is also called gelu_new and gelu_pytorch_tanh. silu is also swish.
enum class Act { silu, gelu, gelu_tanh, quick_gelu, relu, mish };
// Throws LoadError for unknown names, naming file and member.
Act activation(std::string_view name, std::string_view file, std::string_view member);
at::Tensor apply(Act act, const at::Tensor& x);
// The same, written over x, which no one else may hold.
at::Tensor apply_in_place(Act act, at::Tensor x);

}  // namespace kinora::nn
