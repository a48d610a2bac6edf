#include "models/ltx/vae_layers.hpp"

#include <ATen/ops/cat.h>

#include "models/video/token_math.hpp"

namespace kinora::models::ltx {
namespace {

constexpr double kNormEps = 1e-8;
constexpr std::int64_t kTimeWaves = 256;
constexpr Sides kTwice{2, 2, 2};

}  // namespace

CausalConv3d::CausalConv3d(const nn::Weights& w, std::int64_t in, std::int64_t out, std::int64_t kernel, bool causal_, const Sides& stride)
    : conv(w / "conv", in, out, {kernel, kernel, kernel}, stride, {0, kernel / 2, kernel / 2}), causal(causal_) {}

at::Tensor CausalConv3d::operator()(const at::Tensor& x) const {
  const std::int64_t reach = conv.weight.size(2) - 1;
  if (reach == 0) return conv(x);
  const auto copies = [&](std::int64_t frame, std::int64_t count) { return x.narrow(2, frame, 1).expand({-1, -1, count, -1, -1}); };
  if (causal) return conv(at::cat({copies(0, reach), x}, 2));
  return conv(at::cat({copies(0, reach / 2), x, copies(x.size(2) - 1, reach / 2)}, 2));
}

at::Tensor space_to_channels(const at::Tensor& x, const Sides& s) {
  const auto cut = x.unflatten(4, {-1, s[2]}).unflatten(3, {-1, s[1]}).unflatten(2, {-1, s[0]});  // B C T t H h W w
  return cut.permute({0, 2, 4, 6, 1, 3, 5, 7}).flatten(4).permute({0, 4, 1, 2, 3});
}

at::Tensor channels_to_space(const at::Tensor& x, const Sides& s) {
  const auto cut = x.unflatten(1, {-1, s[0], s[1], s[2]});  // B C t h w T H W
  return cut.permute({0, 5, 2, 6, 3, 7, 4, 1}).flatten(5, 6).flatten(3, 4).flatten(1, 2).permute({0, 4, 1, 2, 3});
}

TimeEmbedder::TimeEmbedder(const nn::Weights& w, std::int64_t width) {
  embedding.emplace(w / "timestep_embedder", kTimeWaves, width, width);
}

at::Tensor TimeEmbedder::operator()(const Conditions& conditions, at::ScalarType dtype) const {
  if (!embedding) return {};
  return (*embedding)(unet::sinusoidal_embedding(conditions.time.flatten(), kTimeWaves).to(dtype));
}

at::Tensor channel_norm(const at::Tensor& x) { return video::unit_scaled(x, kNormEps, 1).to(x.scalar_type()); }

at::Tensor modulated(const at::Tensor& x, const at::Tensor& rows, std::int64_t at) {
  const auto part = [&](std::int64_t i) { return rows.select(1, i).view({rows.size(0), -1, 1, 1, 1}); };
  return x.mul(part(at + 1).add(1)).add_(part(at));
}

Resnet::Resnet(const nn::Weights& w, const ResnetSettings& s)
    : conv1_(w / "conv1", s.in, s.out, 3, s.causal), conv2_(w / "conv2", s.out, s.out, 3, s.causal) {
  if (s.in != s.out) {
    norm3_ = nn::LayerNorm(w / "norm3", s.in, s.eps);
    shortcut_ = CausalConv3d(w / "conv_shortcut", s.in, s.out, 1, s.causal);
  }
  if (s.noise) {
    noise1_ = w.take("per_channel_scale1", {s.in, 1, 1});
    noise2_ = w.take("per_channel_scale2", {s.in, 1, 1});
  }
  if (s.timed) scale_shift_table_ = w.take("scale_shift_table", {4, s.in});
}

at::Tensor Resnet::with_noise(const at::Tensor& x, const at::Tensor& scale, const Conditions& conditions) const {
  if (!scale.defined()) return x;
  const auto noise = conditions.normal({x.size(3), x.size(4)}).to(x.options());
  return x.add(scale.mul(noise).unsqueeze(1));  // the same for all frames
}

at::Tensor Resnet::operator()(const at::Tensor& x, const at::Tensor& time, const Conditions& conditions) const {
  at::Tensor rows;
  if (scale_shift_table_.defined()) rows = time.unflatten(1, {4, -1}).add(scale_shift_table_);
  const auto begin = [&](const at::Tensor& t, std::int64_t at) {
    const auto normed = channel_norm(t);
    return nn::apply_in_place(nn::Act::silu, rows.defined() ? modulated(normed, rows, at) : normed);
  };
  auto y = with_noise(conv1_(begin(x, 0)), noise1_, conditions);
  y = with_noise(conv2_(begin(y, 2)), noise2_, conditions);
  if (norm3_.size == 0) return y.add(x);
  return y.add(shortcut_(norm3_(x.movedim(1, -1)).movedim(-1, 1)));
}

Downsample::Downsample(const nn::Weights& w, std::int64_t in, std::int64_t out, const Sides& stride, bool causal)
    : stride_(stride), out_(out), conv_(w / "conv", in, out / (stride[0] * stride[1] * stride[2]), 3, causal) {}

at::Tensor Downsample::operator()(const at::Tensor& x) const {
  const auto whole = stride_[0] > 1 ? at::cat({x.narrow(2, 0, stride_[0] - 1), x}, 2) : x;
  const auto past = space_to_channels(whole, stride_).unflatten(1, {out_, -1}).mean(2);
  return space_to_channels(conv_(whole), stride_).add(past);
}

Upsample::Upsample(const nn::Weights& w, std::int64_t in, std::int64_t factor, bool residual, bool causal)
    : factor_(factor), residual_(residual), conv_(w / "conv", in, 8 * in / factor, 3, causal) {}

at::Tensor Upsample::operator()(const at::Tensor& x) const {
  auto y = channels_to_space(conv_(x), kTwice);
  if (residual_) y = y.add(channels_to_space(x, kTwice).repeat({1, 8 / factor_, 1, 1, 1}));
  return y.slice(2, 1);
}

}  // namespace kinora::models::ltx
