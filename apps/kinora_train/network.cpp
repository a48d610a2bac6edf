#include "kinora_train/network.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/prelu.hpp"

namespace kinora::train {
namespace {

constexpr double kRootFloor = 1e-6;  // under the root, so that its slope stays finite at 0
constexpr double kMaxPsnr = 100;

// [B, ...] -> scalar.
at::Tensor mean_root(const at::Tensor& difference) { return ((difference * difference).flatten(1).mean(1) + kRootFloor).sqrt().mean(); }

// A last convolution's weight or bias, for each output pixel what was for the pixel of the smaller scale there: [out * s * s, ...].
at::Tensor repeated(const at::Tensor& weight, const models::esrgan::SrvggConfig& from, const models::esrgan::SrvggConfig& to) {
  const std::int64_t times = to.upscale / from.upscale;
  return weight.reshape({from.num_out_ch, from.upscale, from.upscale, -1}).repeat_interleave(times, 1).repeat_interleave(times, 2);
}

double mean_psnr_of(const std::vector<Pair>& pairs, const std::function<at::Tensor(const at::Tensor& low, std::int64_t scale)>& enlarged) {
  const at::NoGradGuard no_grad;
  double sum = 0;
  for (const Pair& pair : pairs) {
    const at::Tensor low = pair.low.to(at::kFloat).mul_(1.0 / 255).unsqueeze(0).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor made = enlarged(low, pair.scale()).clamp(0, 1).squeeze(0) * 255;
    const at::Tensor difference = luma(made) - luma(pair.high.to(at::kFloat));
    const double mean_square = (difference * difference).mean().item<double>();
    sum += std::min(kMaxPsnr, 10 * std::log10(255.0 * 255.0 / std::max(mean_square, 1e-12)));
  }
  return pairs.empty() ? 0 : sum / static_cast<double>(pairs.size());
}

}  // namespace

nn::TensorMap fresh_weights(const models::esrgan::SrvggConfig& config, std::uint64_t seed) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const std::string last = "body." + std::to_string(2 * config.num_conv + 2) + ".weight";
  nn::TensorMap weights;
  for (const auto& [name, shape] : models::esrgan::srvgg_shapes(config)) {
    at::Tensor weight;
    if (shape.size() == 4) {
      const double deviation = std::sqrt(2.0 / static_cast<double>(shape[1] * shape[2] * shape[3])) * (name == last ? 0.1 : 1.0);
      weight = (at::randn(shape, generator, at::kFloat) * deviation).contiguous(at::MemoryFormat::ChannelsLast);
    } else {
      weight = name.ends_with("bias") ? at::zeros(shape, at::kFloat) : at::full(shape, 0.25, at::kFloat);
    }
    weights[name] = weight.set_requires_grad(true);
  }
  return weights;
}

nn::TensorMap grown(const nn::TensorMap& weights, const models::esrgan::SrvggConfig& from, const models::esrgan::SrvggConfig& to) {
  models::esrgan::SrvggConfig wanted = from;
  wanted.num_conv = to.num_conv;
  wanted.upscale = to.upscale;
  if (wanted != to || to.num_conv < from.num_conv || to.upscale % from.upscale != 0)
    throw Failure("a network can only start from one of its own width with no more layers and a divisor of its scale");
  const auto known = models::esrgan::srvgg_shapes(from);
  nn::TensorMap out;
  for (const auto& [name, shape] : models::esrgan::srvgg_shapes(to)) {
    const std::int64_t index = std::stoll(name.substr(name.find('.') + 1));
    const bool last = index == 2 * to.num_conv + 2;
    const bool added = !last && index > 2 * from.num_conv + 1;
    if (!added) {
      const std::string part = name.substr(name.rfind('.'));
      const std::string old_name = "body." + std::to_string(last ? 2 * from.num_conv + 2 : index) + part;
      const auto found = weights.find(old_name);
      if (found == weights.end() || found->second.sizes() != at::IntArrayRef(known.at(old_name)))
        throw Failure("the stored weights are of another network");
      const at::Tensor weight = found->second.detach().to(at::kFloat);
      out[name] = last ? repeated(weight, from, to).reshape(shape) : weight.clone();
    } else if (shape.size() == 4) {
      out[name] = at::zeros(shape, at::kFloat);
      for (std::int64_t channel = 0; channel < shape[0]; ++channel) out[name][channel][channel][1][1].fill_(1);
    } else {
      out[name] = at::full(shape, name.ends_with("bias") ? 0 : 1, at::kFloat);
    }
  }
  return out;
}

at::Tensor enlarge(const models::esrgan::SrvggConfig& config, const nn::TensorMap& weights, const at::Tensor& low, Precision precision) {
  const auto dtype = precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  at::Tensor body = low.to(dtype);
  for (std::int64_t layer = 0; layer <= config.num_conv + 1; ++layer) {
    const std::string convolution = "body." + std::to_string(2 * layer);
    body = at::conv2d(body, weights.at(convolution + ".weight").to(dtype), weights.at(convolution + ".bias").to(dtype), /*stride=*/1,
                      /*padding=*/1);
    if (layer <= config.num_conv) body = train::prelu(body, weights.at("body." + std::to_string(2 * layer + 1) + ".weight"));
  }
  return at::pixel_shuffle(body.to(at::kFloat), config.upscale) +
         at::upsample_nearest2d(low, {low.size(2) * config.upscale, low.size(3) * config.upscale});
}

at::Tensor picture_loss(const at::Tensor& made, const at::Tensor& wanted) {
  const at::Tensor difference = made - wanted;
  return mean_root(luma(difference)) + mean_root(difference) * kRgbShare;
}

double mean_psnr(const models::esrgan::SrvggConfig& config, const nn::TensorMap& weights, const std::vector<Pair>& pairs,
                 Precision precision) {
  return mean_psnr_of(pairs, [&](const at::Tensor& low, std::int64_t) { return enlarge(config, weights, low, precision); });
}

double mean_psnr_bicubic(const std::vector<Pair>& pairs) {
  return mean_psnr_of(pairs, [](const at::Tensor& low, std::int64_t scale) {
    return at::upsample_bicubic2d(low, {low.size(2) * scale, low.size(3) * scale}, /*align_corners=*/false);
  });
}

}  // namespace kinora::train
