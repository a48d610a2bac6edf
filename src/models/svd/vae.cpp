#include "models/svd/vae.hpp"

#include <algorithm>

#include "models/unet/tokens.hpp"

namespace kinora::models::svd {
namespace {

using stable_diffusion::Posterior;
using stable_diffusion::VaeConfig;

SpatioTemporalResnet::Config resnet_config(const VaeConfig& config, std::int64_t in, std::int64_t out) {
  return {.spatial = stable_diffusion::vae_resnet(config, in, out), .temporal_eps = 1e-5, .exchanged_mix = true};
}

}  // namespace

TemporalDecoder::TemporalDecoder(const VaeConfig& config, const nn::Weights& w)
    : conv_in(w / "conv_in", config.latent_channels, config.channels.back(), 3, 1, 1),
      conv_out(w / "conv_out", config.channels.front(), config.out_channels, 3, 1, 1),
      mid_attention(w / "mid_block" / "attentions" / 0, config.channels.back(), config.groups),
      conv_norm_out(w / "conv_norm_out", config.groups, config.channels.front(), 1e-6),
      time_conv_out(w / "time_conv_out", config.out_channels, config.out_channels) {
  const std::size_t count = config.channels.size();
  std::int64_t in = config.channels.back();
  for (std::int64_t j = 0; j < config.layers; ++j) mid.emplace_back(w / "mid_block" / "resnets" / j, resnet_config(config, in, in));
  for (std::size_t i = 0; i < count; ++i) {
    const auto scope = w / "up_blocks" / static_cast<std::int64_t>(i);
    const std::int64_t out = config.channels[count - 1 - i];
    Level level;
    for (std::int64_t j = 0; j <= config.layers; ++j, in = out)
      level.resnets.emplace_back(scope / "resnets" / j, resnet_config(config, in, out));
    if (i + 1 < count) level.upsample.emplace(scope / "upsamplers" / 0, out);
    levels.push_back(std::move(level));
  }
}

at::Tensor TemporalDecoder::operator()(const at::Tensor& latents, std::int64_t videos) const {
  const at::Tensor no_time;
  auto x = mid.front()(conv_in(latents), no_time, videos);
  // As the reference runs it: the attention stands between the first two resnets, and there it ends, however many there are.
  if (mid.size() > 1) x = mid[1](mid_attention(x), no_time, videos);
  for (const auto& level : levels) {
    for (const auto& resnet : level.resnets) x = resnet(x, no_time, videos);
    if (level.upsample) x = (*level.upsample)(x);
  }
  x = conv_out(nn::apply_in_place(nn::Act::silu, conv_norm_out(x)));
  return unet::rows_to_frames(time_conv_out(unet::frames_to_rows(x, videos)), x.size(2), x.size(3));
}

TemporalVae::TemporalVae(const VaeConfig& config, const nn::Weights& w)
    : config_(config),
      encoder_(config, w / "encoder"),
      decoder_(config, w / "decoder"),
      quant_conv_(w / "quant_conv", 2 * config.latent_channels, 2 * config.latent_channels, 1) {}

Posterior TemporalVae::encode(const at::Tensor& pictures) const {
  return Posterior(quant_conv_(encoder_(pictures.contiguous(at::MemoryFormat::ChannelsLast))).contiguous());
}

at::Tensor TemporalVae::decode(const at::Tensor& latents, std::int64_t videos) const {
  return decoder_(latents.contiguous(at::MemoryFormat::ChannelsLast), videos).contiguous();
}

}  // namespace kinora::models::svd
