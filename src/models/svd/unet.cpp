#include "models/svd/unet.hpp"

namespace kinora::models::svd {
namespace {

SpatioTemporalResnet::Config resnet_config(const UNetConfig& config, const unet::LayerPlace& place) {
  // As the weights were trained: the eps of a level downwards depends on its kind.
  const bool plain_down = place.section == unet::Section::down && !place.attention;
  const double eps = plain_down || place.section == unet::Section::mid ? 1e-5 : 1e-6;
  return {.spatial = {.in = place.in, .out = place.out, .time = config.time_width(), .eps = eps}, .temporal_eps = eps};
}

}  // namespace

UNetLayer::UNetLayer(const UNetConfig& config, const nn::Weights& block, const unet::LayerPlace& place)
    : resnet(block / "resnets" / place.index, resnet_config(config, place)) {
  if (!place.attention) return;
  attention.emplace(block / "attentions" / place.index, unet::TransformerConfig{.channels = place.out,
                                                                                .heads = config.heads[place.level],
                                                                                .depth = config.depth[place.level],
                                                                                .context = config.context_width[place.level],
                                                                                .linear_projection = true});
}

at::Tensor UNetLayer::operator()(const at::Tensor& x, const unet::LayerInputs& inputs) const {
  auto y = resnet(x, inputs.time, inputs.videos);
  return attention ? (*attention)(y, inputs.context, inputs.videos) : y;
}

UNet::UNet(const UNetConfig& config, const nn::Weights& w)
    : config_(config),
      conv_in_(w / "conv_in", config.in_channels, config.body.channels.front(), 3, 1, 1),
      conv_out_(w / "conv_out", config.body.channels.front(), config.out_channels, 3, 1, 1),
      conv_norm_out_(w / "conv_norm_out", 32, config.body.channels.front(), 1e-5),
      time_embedding_(w / "time_embedding", config.body.channels.front(), config.time_width(), config.time_width()),
      add_embedding_(w / "add_embedding", config.added_width, config.time_width(), config.time_width()),
      body_(config_.body, w, [&](const nn::Weights& block, const unet::LayerPlace& place) { return UNetLayer(config_, block, place); }) {}

at::Tensor UNet::forward(const at::Tensor& sample, const at::Tensor& timestep, const at::Tensor& context,
                         const at::Tensor& added_time_ids) const {
  const auto dtype = time_embedding_.dtype();
  const std::int64_t videos = sample.size(0);
  const auto ids = unet::sinusoidal_embedding(added_time_ids.flatten(), config_.size_width).to(dtype).view({added_time_ids.size(0), -1});
  const auto t = unet::sinusoidal_embedding(timestep.flatten(), config_.body.channels.front()).to(dtype);
  const unet::LayerInputs inputs{
      .time = nn::apply_in_place(nn::Act::silu, time_embedding_(t).add(add_embedding_(ids))), .context = context, .videos = videos};
  auto x = conv_in_(sample.flatten(0, 1).contiguous(at::MemoryFormat::ChannelsLast));
  x = conv_out_(nn::apply_in_place(nn::Act::silu, conv_norm_out_(body_(x, inputs))));
  return x.unflatten(0, {videos, -1}).contiguous();
}

}  // namespace kinora::models::svd
