#include "models/rife/ifnet.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <cmath>

#include "models/rife/warp.hpp"

namespace kinora::models::rife {
namespace {

constexpr double kSlope = 0.2;

at::Tensor leaky(at::Tensor x) { return at::leaky_relu_(x, kSlope); }

// Both sides times factor.
at::Tensor resized(const at::Tensor& x, double factor) {
  if (factor == 1) return x;
  const auto side = [&](std::int64_t pixels) { return std::llround(static_cast<double>(pixels) * factor); };
  return at::upsample_bilinear2d(x, {side(x.size(2)), side(x.size(3))}, /*align_corners=*/false, factor, factor);
}

at::Tensor channels(const at::Tensor& x, std::int64_t begin, std::int64_t end) { return x.slice(1, begin, end); }
at::Tensor swapped(const at::Tensor& flow) { return at::cat({channels(flow, 2, 4), channels(flow, 0, 2)}, 1); }

}  // namespace

at::Tensor IfNet::Deconv::operator()(const at::Tensor& x) const {
  return at::conv_transpose2d(x, weight, bias, /*stride=*/2, /*padding=*/1);
}

at::Tensor IfNet::Block::operator()(const at::Tensor& inputs) const {
  const at::Tensor x = inputs.to(shrink0.weight.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor y = leaky(shrink1(leaky(shrink0(x))));
  for (const auto& layer : residual) y = leaky(at::addcmul(y, layer.conv(y), layer.beta));
  return at::pixel_shuffle(last(y), 2);
}

IfNet::IfNet(const IfnetConfig& config, const nn::Weights& w) : config_(config) {
  const auto deconv = [](const nn::Weights& scope, std::int64_t in, std::int64_t out) {
    return Deconv{scope.take("weight", {in, out, 4, 4}), scope.take("bias", {out})};
  };
  if (config.has_encoder()) {
    const std::int64_t width = config.encoder_width;
    const auto encode = w / "encode";
    encode0_ = {encode / "cnn0", 3, width, 3, 2, 1};
    encode1_ = {encode / "cnn1", width, width, 3, 1, 1};
    encode2_ = {encode / "cnn2", width, width, 3, 1, 1};
    encode3_ = deconv(encode / "cnn3", width, config.features);
  }
  for (std::size_t i = 0; i < config.channels.size(); ++i) {
    const std::int64_t c = config.channels[i];
    const auto scope = w / ("block" + std::to_string(i));
    Block block{.shrink0 = {scope / "conv0" / 0 / 0, config.inputs(i), c / 2, 3, 2, 1},
                .shrink1 = {scope / "conv0" / 1 / 0, c / 2, c, 3, 2, 1},
                .residual = {},
                .last = deconv(scope / "lastconv" / 0, c, 4 * config.outputs())};
    for (std::int64_t layer = 0; layer < config.layers[i]; ++layer) {
      const auto here = scope / "convblock" / layer;
      block.residual.push_back({{here / "conv", c, c, 3, 1, 1}, here.take("beta", {1, c, 1, 1})});
    }
    blocks_.push_back(std::move(block));
  }
}

Prepared IfNet::prepare(const at::Tensor& rgb, double scale) const {
  const std::int64_t m = config_.pad_multiple(scale), height = rgb.size(2), width = rgb.size(3);
  auto planes = at::constant_pad_nd(rgb, {0, (m - width % m) % m, 0, (m - height % m) % m}, 0).contiguous(at::MemoryFormat::ChannelsLast);
  if (config_.has_encoder()) {
    const auto x = planes.to(encode0_.weight.scalar_type());
    const auto features = encode3_(leaky(encode2_(leaky(encode1_(leaky(encode0_(x))))))).to(at::kFloat);
    planes = at::cat({planes, features}, 1).contiguous(at::MemoryFormat::ChannelsLast);
  }
  return {.planes = std::move(planes), .height = height, .width = width};
}

Moment IfNet::between(const Prepared& a, const Prepared& b, double t, const Options& options) const {
  const bool both_ways = options.ensemble && ensembles();
  // One tensor in another layout would turn all that are joined with it into that layout, and every convolution would turn them back.
  const at::Tensor &from_a = a.planes, &from_b = b.planes;
  at::Tensor at_a = from_a, at_b = from_b, flow, mask, rest;  // rest: mask and what the block before carries
  Moment moment;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const double scale = config_.scales[i] / options.scale;
    const bool last = i + 1 == blocks_.size();
    // Shrunk before they are joined: a block then only moves what it sees.
    const auto seen = [&](const at::Tensor& x) { return x.defined() ? resized(x, 1 / scale) : x; };
    const auto small_a = seen(at_a), small_b = seen(at_b), small_rest = seen(rest), small_flow = seen(flow);
    const auto answer_of = [&](const at::Tensor& first, const at::Tensor& second, double when, const at::Tensor& more,
                               const at::Tensor& arrows) {
      std::vector<at::Tensor> all{channels(first, 0, 3), channels(second, 0, 3)};
      if (config_.has_encoder()) all.insert(all.end(), {channels(first, 3, first.size(1)), channels(second, 3, second.size(1))});
      all.push_back(
          at::empty({first.size(0), 1, first.size(2), first.size(3)}, first.options(), at::MemoryFormat::ChannelsLast).fill_(when));
      if (more.defined()) all.insert(all.end(), {more, arrows.div(scale)});
      const auto answer = blocks_[i](at::cat(all, 1));
      // No block comes to carry for behind the last one.
      return resized((last ? channels(answer, 0, 5) : answer).to(at::kFloat), scale);
    };
    const at::Tensor answer = answer_of(small_a, small_b, t, small_rest, small_flow);
    at::Tensor turn = channels(answer, 0, 4).mul(scale), blend = channels(answer, 4, 5);
    if (both_ways) {
      const auto back = answer_of(small_b, small_a, 1 - t, small_rest.defined() ? small_rest.neg() : small_rest,
                                  small_flow.defined() ? swapped(small_flow) : small_flow);
      turn = at::add(turn, swapped(channels(back, 0, 4).mul(scale))).div(2);
      blend = at::sub(blend, channels(back, 4, 5)).div(2);
    }
    flow = flow.defined() ? at::add(flow, turn) : turn;
    if (config_.has_encoder()) {
      mask = blend;
      rest = channels(answer, 4, answer.size(1));
    } else {
      mask = rest = mask.defined() ? at::add(mask, blend) : blend;
    }
    // Features are for the next block only.
    const auto wanted = [&](const at::Tensor& from) { return last ? channels(from, 0, 3) : from; };
    at_a = warp(wanted(from_a), channels(flow, 0, 2));
    at_b = warp(wanted(from_b), channels(flow, 2, 4));
    if (last || mask.requires_grad()) {
      moment.merged.push_back(at::lerp(channels(at_b, 0, 3), channels(at_a, 0, 3), at::sigmoid(mask)));
      moment.flows.push_back(flow);
    }
  }
  moment.picture = moment.merged.back().slice(2, 0, a.height).slice(3, 0, a.width);
  return moment;
}

nn::WeightShapes ifnet_shapes(const IfnetConfig& config) {
  auto load = nn::WeightLoad::shapes_only();
  const IfNet net(config, load.root());
  nn::WeightShapes shapes;
  for (const auto& [name, tensor] : load.finish()) shapes.emplace(name, tensor.sizes().vec());
  return shapes;
}

}  // namespace kinora::models::rife
