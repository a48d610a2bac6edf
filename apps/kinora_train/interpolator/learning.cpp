#include "kinora_train/interpolator/learning.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

namespace kinora::train {
namespace {

constexpr double kEarlier = 0.8;  // weight of a block's loss to that of the next one
constexpr double kRound = 1e-6;   // below its root a distance is a parabola, so that it has a gradient
constexpr double kFloor = 4e-6;   // half a level of 0..255, squared: to be nearer is worth little

at::Tensor distance(const at::Tensor& squares) { return (squares + kRound).sqrt().mean(); }

// Half the logarithm of each picture's mean square difference: what PSNR counts. Pictures in which little moves matter as much as others.
at::Tensor difference(const at::Tensor& made, const at::Tensor& truth) {
  return ((made - truth).square().mean({1, 2, 3}) + kFloor).log().mean() / 2;
}

double psnr(const at::Tensor& a, const at::Tensor& b) { return -10 * std::log10(std::max((a - b).square().mean().item<double>(), 1e-10)); }

}  // namespace

models::rife::IfnetConfig starter_ifnet() {
  models::rife::IfnetConfig config;
  config.features = config.encoder_width = config.carried = 0;
  config.channels = {96, 64};
  config.layers = {5, 4};
  config.scales = {2, 2};
  return config;
}

at::Tensor interpolation_loss(const models::rife::IfNet& net, const MotionBatch& batch, double flow_share) {
  const auto moment = net.between(net.prepare(batch.first, 1), net.prepare(batch.last, 1), batch.time, {});
  const std::int64_t height = batch.truth.size(2), width = batch.truth.size(3);
  const auto inside = [&](const at::Tensor& padded) { return padded.slice(2, 0, height).slice(3, 0, width); };
  at::Tensor loss;
  for (std::size_t i = 0; i < moment.merged.size(); ++i) {
    at::Tensor part = difference(inside(moment.merged[i]), batch.truth);
    if (batch.flow.defined() && flow_share > 0) {
      const at::Tensor off = inside(moment.flows[i]).slice(0, 0, batch.flow.size(0)) - batch.flow;
      const at::Tensor squares = off.square();
      const at::Tensor both = distance(squares.slice(1, 0, 2).sum(1)) + distance(squares.slice(1, 2, 4).sum(1));
      part = part + both * (flow_share / 2);
    }
    part = part * std::pow(kEarlier, static_cast<double>(moment.merged.size() - 1 - i));
    loss = loss.defined() ? loss + part : part;
  }
  return loss;
}

InterpolationScore score_interpolator(const models::rife::IfNet& net, const at::Tensor& runs, std::int64_t most) {
  const at::NoGradGuard no_grad;
  const std::int64_t count = std::min(runs.size(0), most);
  InterpolationScore score;
  for (std::int64_t i = 0; i < count; ++i) {
    for (const std::int64_t span : {1, 2}) {
      const MotionBatch pair = middle_of_run(runs, i * runs.size(0) / count, span);
      const auto made = net.between(net.prepare(pair.first, 1), net.prepare(pair.last, 1), pair.time, {}).picture;
      score.network += psnr(made.clamp(0, 1), pair.truth);
      score.blend += psnr((pair.first + pair.last) / 2, pair.truth);
    }
  }
  const auto pictures = static_cast<double>(2 * count);
  return {score.network / pictures, score.blend / pictures};
}

}  // namespace kinora::train
