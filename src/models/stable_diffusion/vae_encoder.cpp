#include "models/stable_diffusion/vae_encoder.hpp"

namespace kinora::models::stable_diffusion {

unet::ResnetConfig vae_resnet(const VaeConfig& config, std::int64_t in, std::int64_t out) {
  return {.in = in, .out = out, .groups = config.groups, .eps = 1e-6, .act = config.act};
}

VaeMid::VaeMid(const VaeConfig& config, const nn::Weights& w)
    : first(w / "resnets" / 0, vae_resnet(config, config.channels.back(), config.channels.back())),
      last(w / "resnets" / 1, vae_resnet(config, config.channels.back(), config.channels.back())) {
  if (config.mid_attention) attention.emplace(w / "attentions" / 0, config.channels.back(), config.groups);
}

at::Tensor VaeMid::operator()(const at::Tensor& x) const {
  const auto h = first(x);
  return last(attention ? (*attention)(h) : h);
}

VaeEncoder::VaeEncoder(const VaeConfig& config, const nn::Weights& w)
    : conv_in(w / "conv_in", config.in_channels, config.channels.front(), 3, 1, 1),
      conv_out(w / "conv_out", config.channels.back(), 2 * config.latent_channels, 3, 1, 1),
      mid(config, w / "mid_block"),
      conv_norm_out(w / "conv_norm_out", config.groups, config.channels.back(), 1e-6),
      act(config.act) {
  std::int64_t in = config.channels.front();
  for (std::size_t i = 0; i < config.channels.size(); ++i) {
    const auto scope = w / "down_blocks" / static_cast<std::int64_t>(i);
    const std::int64_t out = config.channels[i];
    Level level;
    for (std::int64_t j = 0; j < config.layers; ++j, in = out)
      level.resnets.emplace_back(scope / "resnets" / j, vae_resnet(config, in, out));
    if (i + 1 < config.channels.size()) level.downsample.emplace(scope / "downsamplers" / 0, out, /*padding=*/0);
    levels.push_back(std::move(level));
  }
}

at::Tensor VaeEncoder::operator()(const at::Tensor& picture) const {
  auto x = conv_in(picture);
  for (const auto& level : levels) {
    for (const auto& resnet : level.resnets) x = resnet(x);
    if (level.downsample) x = (*level.downsample)(x);
  }
  return conv_out(nn::apply_in_place(act, conv_norm_out(mid(x))));
}

}  // namespace kinora::models::stable_diffusion
