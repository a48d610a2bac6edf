#include "nn/layers.hpp"

#include <ATen/Context.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/mkldnn_convolution.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>

#include "nn/gguf/packed.hpp"

namespace kinora::nn {
namespace {

at::Tensor take_bias(const Weights& w, std::int64_t out, Bias with_bias) {
  return with_bias == Bias::yes ? w.take("bias", {out}) : at::Tensor();
}

}  // namespace

Linear::Linear(const Weights& w, std::int64_t in, std::int64_t out, Bias with_bias)
    : weight(w.take_matrix("weight", {out, in})), bias(take_bias(w, out, with_bias)) {}
at::Tensor Linear::operator()(const at::Tensor& x) const {
  // Of lists in another order at::linear would multiply each by a copy of the weight.
  const auto lists = x.dim() > 2 ? x.contiguous() : x;
  return at::linear(lists, gguf::is_packed(weight) ? gguf::unpacked(weight, x.scalar_type()) : weight, bias);
}

Conv2d::Conv2d(const Weights& w, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride_, std::int64_t padding_,
               Bias with_bias)
    : weight(w.take("weight", {out, in, kernel, kernel})), bias(take_bias(w, out, with_bias)), stride(stride_), padding(padding_) {}
at::Tensor Conv2d::operator()(const at::Tensor& x) const { return at::conv2d(x, weight, bias, stride, padding); }

Conv3d::Conv3d(const Weights& w, std::int64_t in, std::int64_t out, Sides kernel, Sides stride_, Sides padding_, Bias with_bias)
    : weight(w.take("weight", {out, in, kernel[0], kernel[1], kernel[2]})),
      bias(take_bias(w, out, with_bias)),
      stride(stride_),
      padding(padding_) {}
at::Tensor Conv3d::operator()(const at::Tensor& x) const {
  // LibTorch leaves small pictures to a slower way (it does not count their width): 512 channels of 5x5x7 took 30 ms, by oneDNN 17.
  const bool plain = x.is_cpu() && x.dim() == 5 && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat;
  if (plain && at::globalContext().userEnabledMkldnn() && at::Context::hasMKLDNN())
    return at::mkldnn_convolution(x, weight, bias, padding, stride, /*dilation=*/at::IntArrayRef({1, 1, 1}), /*groups=*/1);
  return at::conv3d(x, weight, bias, stride, padding);
}

GroupNorm::GroupNorm(const Weights& w, std::int64_t groups_, std::int64_t channels, double eps_)
    : weight(w.take("weight", {channels})), bias(w.take("bias", {channels})), groups(groups_), eps(eps_) {}
at::Tensor GroupNorm::operator()(const at::Tensor& x) const { return at::group_norm(x, groups, weight, bias, eps); }

LayerNorm::LayerNorm(const Weights& w, std::int64_t size_, double eps_, bool affine) : size(size_), eps(eps_) {
  if (!affine) return;
  weight = w.take("weight", {size});
  bias = w.take("bias", {size});
}
at::Tensor LayerNorm::operator()(const at::Tensor& x) const { return at::layer_norm(x, {size}, weight, bias, eps); }

RmsNorm::RmsNorm(const Weights& w, std::int64_t size, double eps_, bool affine) : eps(eps_) {
  if (affine) weight = w.take("weight", {size});
}
at::Tensor RmsNorm::operator()(const at::Tensor& x) const {
  const auto wide = x.to(at::kFloat);
  const auto normed = wide.mul(at::rsqrt(at::mean(wide.square(), -1, /*keepdim=*/true).add(eps))).to(x.scalar_type());
  return weight.defined() ? normed.mul(weight) : normed;
}

Embedding::Embedding(const Weights& w, std::int64_t count, std::int64_t size) : weight(w.take_matrix("weight", {count, size})) {}
at::Tensor Embedding::operator()(const at::Tensor& ids) const {
  if (!gguf::is_packed(weight)) return at::embedding(weight, ids);
  return gguf::unpacked(weight.index_select(0, ids.flatten()), at::kFloat).unflatten(0, ids.sizes());
}

Act activation(std::string_view name, std::string_view file, std::string_view member) {
  if (name == "silu" || name == "swish") return Act::silu;
  if (name == "gelu") return Act::gelu;
  if (name == "gelu_tanh" || name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu-approximate") return Act::gelu_tanh;
  if (name == "quick_gelu") return Act::quick_gelu;
  if (name == "relu") return Act::relu;
  if (name == "mish") return Act::mish;
  throw LoadError(file, member, "is \"" + std::string(name.substr(0, 64)) + "\"; known: silu, gelu, gelu_new, quick_gelu, relu, mish");
}

at::Tensor apply(Act act, const at::Tensor& x) {
  switch (act) {
    case Act::silu: return at::silu(x);
    case Act::gelu: return at::gelu(x);
    case Act::gelu_tanh: return at::gelu(x, "tanh");
    case Act::quick_gelu: return x.mul(1.702).sigmoid_().mul_(x);
    case Act::relu: return at::relu(x);
    case Act::mish: return at::mish(x);
  }
  return x;
}

at::Tensor apply_in_place(Act act, at::Tensor x) {
  switch (act) {
    case Act::silu: return at::silu_(x);
    case Act::gelu: return at::gelu_(x);
    case Act::gelu_tanh: return at::gelu_(x, "tanh");
    case Act::quick_gelu: return x.mul_(x.mul(1.702).sigmoid_());
    case Act::relu: return at::relu_(x);
    case Act::mish: return at::mish_(x);
  }
  return x;
}

}  // namespace kinora::nn
