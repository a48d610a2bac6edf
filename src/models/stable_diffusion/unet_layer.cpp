#include "models/stable_diffusion/unet_layer.hpp"

#include <ATen/ops/cat.h>

namespace kinora::models::stable_diffusion {
namespace {

unet::ResnetConfig resnet_config(const UNetConfig& config, const unet::LayerPlace& place) {
  return {.in = place.in,
          .out = place.out,
          .time = config.time_width,
          .groups = config.groups,
          .eps = config.eps,
          .act = config.act,
          .scale_shift = config.time_scale_shift,
          .output_scale = place.section == unet::Section::mid ? config.mid_scale : 1};
}

std::int64_t depth(const UNetConfig& config, const unet::LayerPlace& place) {
  if (place.section == unet::Section::mid) return config.mid_depth;
  const auto& depths = place.section == unet::Section::down ? config.down_depth : config.up_depth;
  return depths[place.level][static_cast<std::size_t>(place.index)];
}

}  // namespace

UNetLayer::UNetLayer(const UNetConfig& config, const nn::Weights& block, const unet::LayerPlace& place)
    : resnet(block / "resnets" / place.index, resnet_config(config, place)) {
  if (!place.attention) return;
  attention.emplace(block / "attentions" / place.index, unet::TransformerConfig{.channels = place.out,
                                                                                .heads = config.heads[place.level],
                                                                                .depth = depth(config, place),
                                                                                .context = config.context_width[place.level],
                                                                                .groups = config.groups,
                                                                                .linear_projection = config.linear_projection});
}

at::Tensor UNetLayer::operator()(const at::Tensor& x, const unet::LayerInputs& inputs) const {
  auto y = resnet(x, inputs.time);
  return attention ? (*attention)(y, inputs.context) : y;
}

UNetEnds::UNetEnds(const UNetConfig& config, const nn::Weights& w)
    : conv_in(w / "conv_in", config.in_channels, config.body.channels.front(), config.conv_in_kernel, 1, config.conv_in_kernel / 2),
      conv_out(w / "conv_out", config.body.channels.front(), config.out_channels, config.conv_out_kernel, 1, config.conv_out_kernel / 2),
      conv_norm_out(w / "conv_norm_out", config.groups, config.body.channels.front(), config.eps),
      time_embedding(w / "time_embedding", config.body.channels.front(), config.time_width, config.time_width, config.act,
                     config.guidance_width) {
  if (config.text_time) add_embedding.emplace(w / "add_embedding", config.added_width, config.time_width, config.time_width);
}

at::Tensor UNetEnds::time(const UNetConfig& config, const at::Tensor& timestep, const at::Tensor& guidance, const at::Tensor& pooled_text,
                          const at::Tensor& size_ids) const {
  const auto sinusoids = [&](const at::Tensor& values, std::int64_t size) {
    return unet::sinusoidal_embedding(values.flatten(), size, config.time_sinusoid).to(time_embedding.dtype());
  };
  auto embedding = time_embedding(sinusoids(timestep, config.body.channels.front()), guidance);
  if (add_embedding) {
    const auto sizes = sinusoids(size_ids, config.size_width).view({size_ids.size(0), -1});
    embedding = embedding.add((*add_embedding)(at::cat({pooled_text.to(sizes.scalar_type()), sizes}, 1)));
  }
  return nn::apply_in_place(config.act, std::move(embedding));
}

at::Tensor UNetEnds::in(const UNetConfig& config, const at::Tensor& sample) const {
  const auto x = sample.contiguous(at::MemoryFormat::ChannelsLast);
  return conv_in(config.center_input_sample ? x.mul(2).sub(1) : x);
}

at::Tensor UNetEnds::out(const UNetConfig& config, const at::Tensor& x) const {
  return conv_out(nn::apply_in_place(config.act, conv_norm_out(x)));
}

}  // namespace kinora::models::stable_diffusion
