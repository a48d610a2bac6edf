#include "models/esrgan/rrdb.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/replication_pad2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>
#include <string>

#include "nn/load_error.hpp"

namespace kinora::models::esrgan {
namespace {

constexpr double kSlope = 0.2, kResidual = 0.2;
constexpr std::int64_t kMaxBlocks = 128, kMaxFeatures = 1024, kMaxUpsamplings = 3;

at::Tensor leaky(at::Tensor x) { return at::leaky_relu_(x, kSlope); }
at::Tensor doubled(const at::Tensor& x) { return at::upsample_nearest2d(x, {x.size(2) * 2, x.size(3) * 2}); }
nn::Conv2d conv3(const nn::Weights& w, std::int64_t in, std::int64_t out) { return {w, in, out, 3, 1, 1}; }

const std::vector<std::int64_t>& kernel(const nn::WeightShapes& shapes, const std::string& name, std::string_view file) {
  const auto found = shapes.find(name);
  if (found == shapes.end()) throw nn::LoadError(file, name, "is missing: not an RRDB network");
  if (found->second.size() != 4) throw nn::LoadError(file, name, "is no convolution: not an RRDB network");
  return found->second;
}

}  // namespace

std::int64_t RrdbConfig::macs_per_pixel() const {
  const std::int64_t f = num_feat, g = num_grow_ch;
  const std::int64_t dense = g * (4 * f + 6 * g) + f * (f + 4 * g);  // the five convolutions see f, f+g, ... f+4g channels
  const std::int64_t low = channels * unshuffle * unshuffle * f + num_block * 3 * dense + f * f;
  std::int64_t high = 0, side = 1;
  for (std::int64_t up = 0; up < upsamplings; ++up) {
    side *= 2;
    high += side * side * f * f;
  }
  high += side * side * (f * f + f * channels);
  return std::max<std::int64_t>(9 * (low + high) / (unshuffle * unshuffle), 1);
}

std::int64_t RrdbConfig::bytes_per_pixel(std::int64_t element_bytes) const {
  // Trunk: the dense block's growing input twice (it is copied to grow) and three residuals; tail: input, output and the library's
  // reordered copy at the full size.
  const std::int64_t side = std::int64_t{1} << upsamplings;
  const std::int64_t low = 2 * (num_feat + 4 * num_grow_ch) + 4 * num_feat, high = 3 * num_feat * side * side;
  return std::max<std::int64_t>(element_bytes * (low + high) / (unshuffle * unshuffle), 1);
}

RrdbConfig infer_rrdb_config(const nn::WeightShapes& shapes, std::string_view file) {
  RrdbConfig config;
  const auto& first = kernel(shapes, "conv_first.weight", file);
  const auto& last = kernel(shapes, "conv_last.weight", file);
  config.num_feat = first[0];
  config.channels = last[0];
  config.num_grow_ch = kernel(shapes, "body.0.rdb1.conv1.weight", file)[0];
  config.num_block = config.upsamplings = 0;
  while (config.num_block < kMaxBlocks && shapes.contains("body." + std::to_string(config.num_block) + ".rdb1.conv1.weight"))
    ++config.num_block;
  while (config.upsamplings < kMaxUpsamplings && shapes.contains("conv_up" + std::to_string(config.upsamplings + 1) + ".weight"))
    ++config.upsamplings;
  if (config.channels < 1 || config.channels > 16) throw nn::LoadError(file, "conv_last.weight", "must have 1 to 16 output channels");
  if (std::min(config.num_feat, config.num_grow_ch) < 1 || std::max(config.num_feat, config.num_grow_ch) > kMaxFeatures)
    throw nn::LoadError(file, "conv_first.weight", "must have 1 to 1024 features");
  for (config.unshuffle = 1; config.unshuffle <= 4; config.unshuffle *= 2)
    if (first[1] == config.channels * config.unshuffle * config.unshuffle) break;
  if (config.unshuffle > 4 || config.unshuffle > (1 << config.upsamplings))
    throw nn::LoadError(file, "conv_first.weight",
                        "its input channels are not the picture's times 1, 4 or 16, or the result would be smaller");
  return config;
}

nn::WeightShapes rrdb_shapes(const RrdbConfig& config) {
  auto load = nn::WeightLoad::shapes_only();
  const RrdbNet net(config, load.root());
  nn::WeightShapes shapes;
  for (const auto& [name, tensor] : load.finish()) shapes.emplace(name, tensor.sizes().vec());
  return shapes;
}

RrdbNet::DenseBlock::DenseBlock(const nn::Weights& w, std::int64_t features, std::int64_t growth) {
  for (std::int64_t i = 0; i < 5; ++i)
    conv[static_cast<std::size_t>(i)] = conv3(w / ("conv" + std::to_string(i + 1)), features + i * growth, i < 4 ? growth : features);
}

at::Tensor RrdbNet::DenseBlock::operator()(const at::Tensor& x) const {
  at::Tensor all = x;
  for (std::size_t i = 0; i < 4; ++i) all = at::cat({all, leaky(conv[i](all))}, 1);
  return at::add(x, conv[4](all), kResidual);
}

RrdbNet::RrdbNet(const RrdbConfig& config, const nn::Weights& w) : config_(config) {
  const std::int64_t f = config.num_feat;
  first_ = conv3(w / "conv_first", config.channels * config.unshuffle * config.unshuffle, f);
  for (std::int64_t i = 0; i < config.num_block; ++i) {
    const auto block = w / "body" / i;
    body_.push_back({DenseBlock(block / "rdb1", f, config.num_grow_ch), DenseBlock(block / "rdb2", f, config.num_grow_ch),
                     DenseBlock(block / "rdb3", f, config.num_grow_ch)});
  }
  trunk_ = conv3(w / "conv_body", f, f);
  for (std::int64_t i = 1; i <= config.upsamplings; ++i) up_.push_back(conv3(w / ("conv_up" + std::to_string(i)), f, f));
  hr_ = conv3(w / "conv_hr", f, f);
  last_ = conv3(w / "conv_last", f, config.channels);
}

at::Tensor RrdbNet::forward(const at::Tensor& x) const {
  const at::Tensor shallow = first_(config_.unshuffle == 1 ? x : at::pixel_unshuffle(x, config_.unshuffle));
  at::Tensor deep = shallow;
  for (const auto& block : body_) deep = at::add(deep, block[2](block[1](block[0](deep))), kResidual);
  at::Tensor y = at::add(shallow, trunk_(deep));
  for (const auto& up : up_) y = leaky(up(doubled(y)));
  return last_(leaky(hr_(y)));
}

at::Tensor RrdbNet::forward_any(const at::Tensor& x) const {
  const std::int64_t u = config_.unshuffle, height = x.size(2), width = x.size(3);
  const std::int64_t down = (u - height % u) % u, right = (u - width % u) % u;
  if (down == 0 && right == 0) return forward(x);
  const bool reflects = down < height && right < width;
  const auto padded = reflects ? at::reflection_pad2d(x, {0, right, 0, down}) : at::replication_pad2d(x, {0, right, 0, down});
  return forward(padded).slice(2, 0, height * config_.scale()).slice(3, 0, width * config_.scale());
}

}  // namespace kinora::models::esrgan
