#include "models/esrgan/srvgg.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/prelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <set>
#include <string>

namespace kinora::models::esrgan {
namespace {

constexpr double kLeakySlope = 0.1;
constexpr std::int64_t kMaxChannels = 16;
constexpr std::int64_t kMaxFeatures = 1024;
constexpr std::int64_t kMaxHidden = 256;
constexpr std::int64_t kMaxUpscale = 8;

std::string key(std::int64_t index, std::string_view part) { return "body." + std::to_string(index) + "." + std::string(part); }

at::Tensor activate(const SrvggConfig& config, const nn::TensorMap& weights, std::int64_t index, const at::Tensor& x) {
  switch (config.act) {
    case Activation::prelu: return at::prelu(x, weights.at(key(index, "weight")));
    case Activation::relu: return at::relu(x);
    case Activation::leaky_relu: return at::leaky_relu(x, kLeakySlope);
  }
  return x;
}

}  // namespace

std::int64_t SrvggConfig::macs_per_pixel() const {
  return 9 * (num_in_ch * num_feat + num_conv * num_feat * num_feat + num_feat * num_out_ch * upscale * upscale);
}

Activation activation_from_name(std::string_view name, std::string_view file) {
  if (name == "prelu") return Activation::prelu;
  if (name == "relu") return Activation::relu;
  if (name == "leakyrelu") return Activation::leaky_relu;
  throw nn::LoadError(file, "act_type", "must be prelu, relu or leakyrelu, not \"" + std::string(name.substr(0, 32)) + "\"");
}

std::string_view name(Activation act) {
  switch (act) {
    case Activation::prelu: return "prelu";
    case Activation::relu: return "relu";
    case Activation::leaky_relu: return "leakyrelu";
  }
  return "";
}

nn::WeightShapes srvgg_shapes(const SrvggConfig& config) {
  nn::WeightShapes shapes;
  const std::int64_t last = 2 * config.num_conv + 2;
  for (std::int64_t index = 0; index <= last; index += 2) {
    const std::int64_t in = index == 0 ? config.num_in_ch : config.num_feat;
    const std::int64_t out = index == last ? config.num_out_ch * config.upscale * config.upscale : config.num_feat;
    shapes[key(index, "weight")] = {out, in, 3, 3};
    shapes[key(index, "bias")] = {out};
    if (index != last && config.act == Activation::prelu) shapes[key(index + 1, "weight")] = {config.num_feat};
  }
  return shapes;
}

SrvggConfig infer_srvgg_config(const nn::WeightShapes& shapes, std::string_view file, Activation act) {
  std::int64_t last = -1;
  for (std::int64_t index = 0; index <= 2 * kMaxHidden + 2; index += 2)
    if (shapes.contains(key(index, "bias"))) last = index;
  const auto first_weight = shapes.find(key(0, "weight"));
  const auto last_weight = shapes.find(key(last, "weight"));
  if (last < 2 || first_weight == shapes.end() || first_weight->second.size() != 4 || last_weight == shapes.end() ||
      last_weight->second.size() != 4)
    throw nn::LoadError(file, "", "no convolutions named body.0, body.2, ...: not an SRVGG network");

  SrvggConfig config;
  config.num_feat = first_weight->second[0];
  config.num_in_ch = first_weight->second[1];
  config.num_out_ch = config.num_in_ch;
  config.num_conv = last / 2 - 1;
  config.act = shapes.contains(key(1, "weight")) ? Activation::prelu : act;
  if (config.num_in_ch < 1 || config.num_in_ch > kMaxChannels)
    throw nn::LoadError(file, first_weight->first, "must have 1 to 16 input channels");
  if (config.num_feat < 1 || config.num_feat > kMaxFeatures) throw nn::LoadError(file, first_weight->first, "must have 1 to 1024 features");
  for (config.upscale = 1; config.upscale <= kMaxUpscale; ++config.upscale)
    if (config.num_out_ch * config.upscale * config.upscale == last_weight->second[0]) return config;
  throw nn::LoadError(file, last_weight->first, "its output channels are not input channels times the square of a scale from 1 to 8");
}

at::Tensor srvgg_body(const SrvggConfig& config, const nn::TensorMap& weights, const at::Tensor& x) {
  const std::int64_t last = 2 * config.num_conv + 2;
  at::Tensor y = x;
  for (std::int64_t index = 0; index <= last; index += 2) {
    y = at::conv2d(y, weights.at(key(index, "weight")), weights.at(key(index, "bias")), /*stride=*/1, /*padding=*/1);
    if (index != last) y = activate(config, weights, index + 1, y);
  }
  return y;
}

at::Tensor srvgg_forward(const SrvggConfig& config, const nn::TensorMap& weights, const at::Tensor& x) {
  const at::Tensor detail = at::pixel_shuffle(srvgg_body(config, weights, x), config.upscale);
  return at::add(detail, at::upsample_nearest2d(x, {x.size(2) * config.upscale, x.size(3) * config.upscale}));
}

}  // namespace kinora::models::esrgan
